#!/usr/bin/env python3
"""TCP and UDP through a gateway, to the addresses that DNS says."""
import itertools
import time

from harness import cases
from harness.cases import TrafficTest, eventually, peers, world

BUSY = 2  # seconds, of a machine with much else to do


class Proxy(TrafficTest):
    def test_tcp_goes_to_the_address_that_dns_says_and_follows_it(self):
        self.resolver.set("plain.example.com", world.public(10))
        peers.Tcp(world.public(10), 443), peers.Tcp(world.public(11), 443)
        gateway = self.gateway("plain", [443])
        old = self.connect(gateway, 443)
        self.assertEqual(peers.read_line(old), world.public(10))
        self.resolver.set("plain.example.com", world.public(11))
        eventually("the new address is used, once the TTL is over", lambda: peers.who(gateway.address, 443) == world.public(11), 15)
        self.assertTrue(peers.alive(old), "a connection to the old address goes on")
        self.assertTrue(peers.alive(old, b"x" * 300_000), "more than the buffers hold")

    def test_a_name_is_looked_up_when_its_ttl_is_over_and_no_sooner(self):
        self.resolver.set("lasting.example.com", world.public(14), ttl=30)
        peers.Tcp(world.public(14), 443)
        gateway = self.gateway("lasting", [443])
        end = time.monotonic() + 12  # Envoy's own interval is 5 s
        while time.monotonic() < end:
            self.assertEqual(peers.who(gateway.address, 443), world.public(14))
            time.sleep(0.5)
        self.assertEqual(self.resolver.asked.count("lasting.example.com"), 1)

    def test_an_address_that_is_down_is_passed_over(self):
        peers.Tcp(world.public(13), 443)
        self.resolver.set("halfdead.example.com", world.public(12), world.public(13))
        gateway = self.gateway("halfdead", [443])
        self.assertEqual({peers.who(gateway.address, 443) for _ in range(20)}, {world.public(13)})

    def test_udp_and_tcp_on_one_port(self):
        self.resolver.set("dns.example.com", world.public(20))
        upstream = peers.Udp(world.public(20), 53)
        peers.Tcp(world.public(20), 53)
        gateway = self.gateway("dns", ["53/UDP", 53])
        self.assertEqual(peers.ask_udp(gateway.address, 53), (world.public(20), "hello"))
        self.assertEqual(peers.who(gateway.address, 53), world.public(20))
        for index in range(50):
            self.assertEqual(peers.ask_udp(gateway.address, 53, f"word {index}"), (world.public(20), f"word {index}"))
        self.assertEqual(set(upstream.peers), {gateway.address}, "upstreams see the gateway's address")

    def test_a_name_without_an_address_resets_and_recovers(self):
        """It is looked up again after at most a second, two, four, eight, and then ten: at random, by Envoy's back-off."""
        gateway = self.gateway("late", [443])
        self.assertEqual(peers.who(gateway.address, 443), peers.CLOSED)

        def gaps():
            return [then - one for one, then in itertools.pairwise(self.resolver.looked_up("late.example.com"))]

        eventually("it has been asked for more seldom", lambda: len(gaps()) > 3 and max(gaps()) > 2, 60)
        for index, gap in enumerate(gaps()):
            self.assertLess(gap, min(2 ** index, 10) + BUSY, gaps())
        peers.Tcp(world.public(30), 443)
        self.resolver.set("late.example.com", world.public(30))
        eventually("it is looked up again", lambda: peers.who(gateway.address, 443) == world.public(30), 10 + BUSY)

    def test_both_families(self):
        """The golden file, as only a live Service with an IPv6 address makes the operator render it."""
        golden = (cases.ROOT / "tests/golden/hardened/dual-stack.envoy.yaml").read_text(encoding="utf-8")
        six, four = world.PUBLIC6, world.public(31)
        peers.Tcp(six, 443), peers.Tcp(four, 443), peers.Udp(four, 53)
        self.resolver.set("api.example.com", four, six)
        gateway = self.gateway("api", [443, "53/UDP"], change=lambda _: golden)
        for address in (gateway.address, gateway.address6):
            self.assertIn(peers.who(address, 443), (six, four))
            self.assertEqual(peers.ask_udp(address, 53), (four, "hello"))
        self.resolver.set("api.example.com", six)
        eventually("IPv6 alone", lambda: peers.who(gateway.address, 443) == six, 15)


if __name__ == "__main__":
    cases.main()
