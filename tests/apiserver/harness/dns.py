"""DNS questions over UDP, and the addresses in the answers."""
import os
import socket
import struct
import threading

A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


def question(name, kind=A):
    number = os.urandom(2)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return number + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def _skip_name(packet, at):
    while packet[at] != 0:
        if packet[at] >= 0xC0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def read(packet):
    """(rcode, addresses)"""
    flags, questions, answers = struct.unpack(">HHH", packet[2:8])
    at, addresses = 12, []
    for _ in range(questions):
        at = _skip_name(packet, at) + 4
    for _ in range(answers):
        at = _skip_name(packet, at)
        kind, _, _, size = struct.unpack(">HHIH", packet[at:at + 10])
        data = packet[at + 10:at + 10 + size]
        if kind == A:
            addresses.append(socket.inet_ntop(socket.AF_INET, data))
        elif kind == AAAA:
            addresses.append(socket.inet_ntop(socket.AF_INET6, data))
        at += 10 + size
    return flags & 15, addresses


def ask(port, name, kind=A, timeout=5.0):
    """(rcode, addresses); None when no answer came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sent = question(name, kind)
        sock.sendto(sent, ("127.0.0.1", port))
        try:
            while True:
                packet = sock.recv(4096)
                if packet[:2] == sent[:2]:
                    return read(packet)
        except socket.timeout:
            return None


class Watch:
    """Asks for one name all the time, and keeps what came that was none of the expected: addresses, or (rcode, addresses)."""

    def __init__(self, port, name, *expected):
        self.port, self.name = port, name
        self.expected = [(NOERROR, [one]) if isinstance(one, str) else one for one in expected]
        self.asked, self.wrong, self._end = 0, [], threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._end.is_set():
            got = ask(self.port, self.name, timeout=2.0)
            self.asked += 1
            if got not in self.expected:
                self.wrong.append(got)
            self._end.wait(0.01)

    def start(self):
        self._thread.start()

    def stop(self):
        self._end.set()
        self._thread.join()
