"""The world that gateways lead to: an authoritative DNS server, and a server for each name, which notes who connects."""
import asyncio
import ipaddress
import random
import socket
import struct
import threading

from . import sockets

ZONE = "world.test"


class Name:
    """One name of the world, and its server. Each has an address of its own."""

    def __init__(self, index, address):
        self.label, self.address = f"e{index:02}", address
        self.dns_name = f"{self.label}.{ZONE}"


def pick_networks(seed):
    """(network of the world's servers, network for Services): two /20 of loopback in which nobody listens."""
    busy = {ipaddress.ip_address(one) for one in sockets.listening_addresses()}
    free = [one for one in ipaddress.ip_network("127.128.0.0/10").subnets(new_prefix=20) if not any(a in one for a in busy)]
    return random.Random(seed).sample(free, 2)


class Dns:
    """Answers A for the world's names, NODATA for other types of them, NXDOMAIN for all other names; over UDP."""

    def __init__(self, names):
        self._addresses = {one.dns_name: socket.inet_aton(one.address) for one in names}
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(4096)
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += query[at] + 1
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        found = self._addresses.get(".".join(labels).lower())
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 2, 4) + found if found and kind == 1 else b""
        head = query[:2] + struct.pack("!HHHHH", 0x8580 | (0 if found else 3), 1, 1 if record else 0, 0, 0)
        return head + query[12:at + 5] + record


class Servers:
    """One for each name: "WORD" is answered with "LABEL WORD". `visits` has (label, source address, who) of every TCP
    connection; who is (pid, program) of the process that holds its other end when it arrives, None when that is gone.
    `datagrams` has (label, source address) of every datagram."""

    def __init__(self, names, tcp_ports, udp_port):
        self.visits, self.datagrams, self._lock = [], [], threading.Lock()
        loop = asyncio.new_event_loop()
        for one in names:
            for port in tcp_ports:
                loop.run_until_complete(asyncio.start_server(lambda r, w, of=one: self._tcp(of, r, w), one.address, port))
            loop.run_until_complete(loop.create_datagram_endpoint(lambda of=one: _Udp(of, self._note_datagram), (one.address, udp_port)))
        threading.Thread(target=loop.run_forever, daemon=True).start()

    async def _tcp(self, of, reader, writer):
        peer = writer.get_extra_info("peername")
        with self._lock:
            self.visits.append((of.label, peer[0], sockets.owner(peer, writer.get_extra_info("sockname"))))
        try:
            while word := await reader.readline():
                writer.write(of.label.encode() + b" " + word)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    def _note_datagram(self, of, source):
        with self._lock:
            self.datagrams.append((of.label, source))

    def take_visits(self):
        with self._lock:
            visits, self.visits = self.visits, []
        return visits

    def take_datagrams(self):
        with self._lock:
            datagrams, self.datagrams = self.datagrams, []
        return datagrams


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, of, note):
        self._of, self._note = of, note

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, addr):
        self._note(self._of, addr[0])
        self._transport.sendto(self._of.label.encode() + b" " + data, addr)
