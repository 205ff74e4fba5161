"""The DNS server that gateways ask: names and addresses that a test may change while it runs."""
import socket
import struct
import threading
import time

from . import world

A, AAAA = 1, 28
NXDOMAIN = 3


class Resolver:
    def __init__(self):
        self.records, self.asked, self._looked_up = {}, [], []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((world.NODE, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def set(self, name, *addresses, ttl=1):
        self.records[name.lower()] = (addresses, ttl)

    def forget_questions(self):
        self.asked.clear()

    def looked_up(self, name):
        """When its IPv4 addresses were asked for."""
        return [when for one, when in self._looked_up if one == name]

    def _serve(self):
        while True:
            packet, sender = self._socket.recvfrom(4096)
            self._socket.sendto(self._answer(packet), sender)

    def _answer(self, packet):
        at, labels = 12, []
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += packet[at] + 1
        name, kind = ".".join(labels), struct.unpack(">H", packet[at + 1:at + 3])[0]
        self.asked.append(name)
        if kind == A:
            self._looked_up.append((name, time.monotonic()))
        found, ttl = self.records.get(name.lower(), ((), 1))
        family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(kind)
        data = [socket.inet_pton(family, one) for one in found if (":" in one) == (kind == AAAA)] if family else []
        code = 0 if name.lower() in self.records else NXDOMAIN
        head = packet[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(data), 0, 0)
        records = [b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(one)) + one for one in data]
        return head + packet[12:at + 5] + b"".join(records)
