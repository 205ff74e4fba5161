#!/usr/bin/env python3
"""ipOverride: its addresses carry everything while one of them is up; DNS takes over when none is, and no sooner."""
import collections
import threading
import time

from harness import cases, suite
from harness.cases import TrafficTest, eventually, peers, world

ALL_DOWN, BACK = 25, 35  # seconds, as documented: two bad checks 10 s apart, and three good ones
LATE = 3  # seconds that a busy machine may add to two checks that time out
UPDATES = 1  # seconds within which Envoy's workers hear of several changes


class Override(TrafficTest):
    def override(self, name, ports, addresses, dns, **spec):
        self.resolver.set(f"{name}.example.com", dns)
        return self.gateway(name, ports, ipOverride=addresses, **spec)

    def watch(self, count, until, seconds):
        """Counts all the time until the condition holds: how many ended where."""
        seen, end = collections.Counter(), time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"within {seconds} s; {seen}"
            seen += count()
            time.sleep(0.1)
        return seen

    def count(self, gateway, port, times):
        return collections.Counter(peers.who(gateway.address, port) for _ in range(times))

    def healthy(self, gateway, protocol=""):
        return sum(value for key, value in gateway.stats().items()
                   if key.startswith("envoy_cluster_membership_healthy") and "-override" in key and protocol in key)

    def test_down_and_back(self):
        """Six gateways at one time, as the waits are long."""
        problems = []

        def keep_problem(run):
            try:
                run()
            except Exception as error:  # of a thread: shown by the test
                problems.append(f"{run.__name__}: {error!r}")

        threads = [threading.Thread(target=keep_problem, args=(run,))
                   for run in (self.one_of_two_down_loses_nothing_and_leaks_nothing, self.the_last_of_three_carries_all,
                               self.all_down_falls_back_and_back_again, self.all_silent_falls_back_and_back_again,
                               self.udp_falls_back_by_the_check_of_tcp, self.udp_leaks_nothing_while_one_of_two_is_silent)]
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
        seen = self.watch(lambda: self.count(gateway, 443, 5), lambda: self.healthy(gateway) == 1, 40)
        seen += self.count(gateway, 443, 200)
        self.assertEqual(set(seen), {living})
        self.assertEqual(upstream.peers, [], "nothing went to the address that DNS says")
        self.assertTrue(all(peers.alive(one) for one, end in zip(held, ends) if end == living), "connections in flight go on")

    def the_last_of_three_carries_all(self):
        *dying, living, dns = (world.public(last) for last in range(46, 50))
        both, stranger = [peers.Tcp(one, 443) for one in dying], peers.Tcp(dns, 443)
        peers.Tcp(living, 443)
        gateway = self.override("twodown", [443], [*dying, living], dns)
        self.assertEqual(set(self.count(gateway, 443, 40)), {*dying, living}, "all share the load")
        for one in both:
            one.die()
        seen = self.watch(lambda: self.count(gateway, 443, 5), lambda: self.healthy(gateway) == 1, 40)
        end = time.monotonic() + 2 * UPDATES
        seen += self.watch(lambda: self.count(gateway, 443, 20), lambda: time.monotonic() > end, 10)
        self.assertEqual(set(seen), {living})
        self.assertEqual(stranger.peers, [], "nothing went to the address that DNS says")

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

    def all_silent_falls_back_and_back_again(self):
        places, dns = (20, 21), world.public(53)
        overrides = [world.come(one) for one in places]
        for one in (*overrides, dns):
            peers.Tcp(one, 443)
        gateway = self.override("allsilent", [443], overrides, dns)

        def reached():
            return peers.who(gateway.address, 443, seconds=0.5)

        assert reached() in overrides
        for one in overrides:
            world.go(one)
        took = self._until(lambda: reached() == dns, ALL_DOWN + LATE)
        suite.figure("TCP falls back to DNS from silent overrides after", f"{took:.1f} s")
        for one in places:
            world.come(one)
        took = self._until(lambda: reached() in overrides, BACK)
        suite.figure("TCP is back at overrides that were silent after", f"{took:.1f} s")

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

    def udp_leaks_nothing_while_one_of_two_is_silent(self):
        silent, living, dns = world.come(22), world.public(57), world.public(58)
        for one in (silent, living):
            peers.Tcp(one, 53), peers.Udp(one, 53)
        stranger = peers.Udp(dns, 53)
        gateway = self.override("udponedown", ["53/UDP", 53], [silent, living], dns)

        def ask(times):
            return collections.Counter((peers.ask_udp(gateway.address, 53, seconds=0.5) or [None])[0] for _ in range(times))

        self.assertEqual(set(ask(40)), {silent, living}, "both share the load")
        world.go(silent)
        seen = self.watch(lambda: ask(5), lambda: self.healthy(gateway, "_UDP_") == 1, 40)
        self.assertEqual(set(seen), {living, None}, "what is sent to the silent one is lost")
        self.assertEqual(set(ask(100)), {living})
        self.assertEqual(stranger.peers, [], "nothing went to the address that DNS says")

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
