#!/usr/bin/env python3
"""ipOverride: its addresses carry everything while one of them is up; DNS takes over when none is, and no sooner."""
import collections
import threading
import time

from harness import cases, suite
from harness.cases import TrafficTest, eventually, peers, world

ALL_DOWN, BACK = 25, 35  # seconds, as documented: two bad checks 10 s apart, and three good ones


class Override(TrafficTest):
    def override(self, name, ports, addresses, dns, **spec):
        self.resolver.set(f"{name}.example.com", dns)
        return self.gateway(name, ports, ipOverride=addresses, **spec)

    def watch(self, gateway, port, until, seconds):
        """Connects all the time until the condition holds: how many ended where."""
        seen, end = collections.Counter(), time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"within {seconds} s; {seen}"
            seen += self.count(gateway, port, 5)
            time.sleep(0.1)
        return seen

    def count(self, gateway, port, times):
        return collections.Counter(peers.who(gateway.address, port) for _ in range(times))

    def healthy(self, gateway):
        return sum(value for key, value in gateway.stats().items()
                   if key.startswith("envoy_cluster_membership_healthy") and "-override" in key)

    def test_down_and_back(self):
        """Three gateways at one time, as the waits are long."""
        problems = []

        def keep_problem(run):
            try:
                run()
            except Exception as error:  # of a thread: shown by the test
                problems.append(f"{run.__name__}: {error!r}")

        threads = [threading.Thread(target=keep_problem, args=(run,))
                   for run in (self.one_of_two_down_loses_nothing_and_leaks_nothing, self.all_down_falls_back_and_back_again,
                               self.udp_falls_back_by_the_check_of_tcp)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.assertEqual(problems, [])

    def one_of_two_down_loses_nothing_and_leaks_nothing(self):
        dying, living, dns = (world.public(last) for last in (40, 41, 42))
        first, upstream = peers.Tcp(dying, 443), peers.Tcp(dns, 443)
        peers.Tcp(living, 443)
        gateway = self.override("onedown", [443], [dying, living], dns)
        self.assertEqual(set(self.count(gateway, 443, 40)), {dying, living}, "both share the load")
        held = [self.connect(gateway, 443) for _ in range(8)]
        ends = [peers.read_line(one) for one in held]
        first.die()
        self.assertEqual(self.count(gateway, 443, 20), {living: 20}, "an override that has just died costs no connection")
        seen = self.watch(gateway, 443, lambda: self.healthy(gateway) == 1, 40)
        seen += self.count(gateway, 443, 200)
        self.assertEqual(set(seen), {living})
        self.assertEqual(upstream.peers, [], "nothing went to the address that DNS says")
        self.assertTrue(all(peers.alive(one) for one, end in zip(held, ends) if end == living), "connections in flight go on")

    def test_an_address_that_is_down_from_the_start(self):
        for name, dead in (("refusing", world.public(43)), ("silent", world.SILENT)):
            with self.subTest(name):
                peers.Tcp(world.public(44), 443) if name == "refusing" else None
                gateway = self.override(name, [443], [dead, world.public(44)], world.public(45))
                self.assertEqual(collections.Counter(peers.who(gateway.address, 443) for _ in range(20)), {world.public(44): 20})

    def all_down_falls_back_and_back_again(self):
        overrides, dns = [world.public(50), world.public(51)], world.public(52)
        both = [peers.Tcp(one, 443) for one in overrides]
        peers.Tcp(dns, 443)
        gateway = self.override("alldown", [443], overrides, dns)
        held = self.connect(gateway, 443)
        assert peers.read_line(held) in overrides
        for one in both:
            one.die(and_connections=False)
        took = self._until(lambda: peers.who(gateway.address, 443) == dns, ALL_DOWN)
        suite.figure("TCP falls back to DNS after", f"{took:.1f} s")
        assert not peers.alive(held), "what an override held is closed with it"
        fallen = self.connect(gateway, 443)
        assert peers.read_line(fallen) == dns
        for one in both:
            one.start()
        took = self._until(lambda: peers.who(gateway.address, 443) in overrides, BACK)
        suite.figure("TCP is back at the override after", f"{took:.1f} s")
        assert peers.alive(fallen), "a connection to the address of DNS goes on"
        eventually("both carry again", lambda: {peers.who(gateway.address, 443) for _ in range(10)} == set(overrides), 30)

    def udp_falls_back_by_the_check_of_tcp(self):
        override, dns = world.public(55), world.public(56)
        check = peers.Tcp(override, 53)
        peers.Udp(override, 53), peers.Udp(dns, 53)
        gateway = self.override("udpdown", ["53/UDP", 53], [override], dns)
        assert peers.ask_udp(gateway.address, 53) == (override, "hello")
        check.die()
        took = self._until(lambda: (peers.ask_udp(gateway.address, 53) or [""])[0] == dns, ALL_DOWN)
        suite.figure("UDP falls back to DNS after", f"{took:.1f} s")
        check.start()
        self._until(lambda: (peers.ask_udp(gateway.address, 53) or [""])[0] == override, BACK)

    def _until(self, condition, seconds):
        begun = time.monotonic()
        eventually(f"within {seconds} s", condition, seconds, every=0.1)
        return time.monotonic() - begun

    def test_a_udp_override_without_a_tcp_port_is_used_whatever_happens(self):
        peers.Udp(world.public(60), 123)
        stranger = peers.Udp(world.public(61), 123)
        gateway = self.override("unchecked", ["123/UDP"], [world.public(60)], world.public(61))
        self.assertEqual({peers.ask_udp(gateway.address, 123) for _ in range(20)}, {(world.public(60), "hello")})
        self.assertEqual(stranger.peers, [])

    def test_an_override_that_is_one_address_and_private(self):
        peers.Tcp(world.private(5), 443)
        gateway = self.override("inside", [443], [world.private(5)], world.public(62))
        self.assertEqual(peers.who(gateway.address, 443), world.private(5))


if __name__ == "__main__":
    cases.main()
