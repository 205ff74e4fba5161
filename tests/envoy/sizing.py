#!/usr/bin/env python3
"""The figures of docs/gateways.md, "Sizing": memory and CPU of a gateway. Not a test; run by hand:

EGRESS_OPERATOR=build/release/egress-operator python3 tests/envoy/sizing.py
"""
import time

from harness import cases, suite
from harness.cases import TrafficTest, peers, world

IDLE, SHORT, GIBIBYTES = 2000, 3000, 1
BLOCK = b"x" * (1 << 20)


class Sizing(TrafficTest):
    def setUp(self):
        self.resolver.set("sized.example.com", world.public(160))
        type(self).upstream = getattr(type(self), "upstream", None) or peers.Tcp(world.public(160), 443)
        self.gateway_ = self.gateway("sized", [443], envoyClusterMaxConnections=100_000, resources={"limits": {"cpu": "1", "memory": "1Gi"}})

    def test_memory(self):
        begun = self.gateway_.resident()
        suite.figure("resident when idle", f"{begun / 1e6:.0f} MB")
        held = [self.connect(self.gateway_, 443) for _ in range(IDLE)]
        for one in held:
            peers.read_line(one)
        each = (self.gateway_.resident() - begun) / IDLE
        suite.figure(f"memory of each of {IDLE} connections that wait", f"{each / 1024:.0f} KiB")

    def test_memory_of_connections_with_full_buffers(self):
        """Their clients write and never read what comes back."""
        begun, count = self.gateway_.resident(), 200
        held = [self.connect(self.gateway_, 443) for _ in range(count)]
        for one in held:
            one.settimeout(0.05)
            try:
                while True:
                    one.sendall(BLOCK)
            except TimeoutError:
                pass
        suite.figure(f"memory of each of {count} connections that are full", f"{(self.gateway_.resident() - begun) / count / 1024:.0f} KiB")

    def test_connections(self):
        begun, cpu = time.monotonic(), self.gateway_.cpu()
        for _ in range(SHORT):
            peers.who(self.gateway_.address, 443)
        cpu = self.gateway_.cpu() - cpu
        suite.figure("short connections a second of one core", f"{SHORT / cpu:.0f} ({cpu / SHORT * 1e6:.0f} CPU-µs each, "
                     f"{SHORT / (time.monotonic() - begun):.0f} a second here)")

    def test_bytes(self):
        with peers.connect(self.gateway_.address, 443) as made:
            peers.read_line(made)
            cpu = self.gateway_.cpu()
            for _ in range(GIBIBYTES * 1024 // 2):  # there and back
                self.assertTrue(peers.alive_large(made, BLOCK))
            cpu = self.gateway_.cpu() - cpu
        suite.figure("MiB a second of one core", f"{GIBIBYTES * 1024 / cpu:.0f}")

    def test_datagrams(self):
        self.resolver.set("sizedudp.example.com", world.public(161))
        peers.Udp(world.public(161), 53)
        gateway = self.gateway("sizedudp", ["53/UDP"], resources={"limits": {"cpu": "1", "memory": "1Gi"}})
        memory, cpu, served = gateway.resident(), gateway.cpu(), 0
        for _ in range(SHORT):
            served += peers.ask_udp(gateway.address, 53, seconds=0.5) is not None
        suite.figure("memory of a UDP session", f"{(gateway.resident() - memory) / served / 1024:.0f} KiB")
        suite.figure("UDP sessions a second of one core", f"{served / (gateway.cpu() - cpu):.0f}")


if __name__ == "__main__":
    cases.main()
