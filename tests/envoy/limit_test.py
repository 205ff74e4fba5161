#!/usr/bin/env python3
"""The connection cap: what is over it is reset at once, and /ready answers still."""
import time

from harness import cases
from harness.cases import TrafficTest, eventually, peers, world

AT_ONCE = 2  # seconds, on a busy machine


class Limit(TrafficTest):
    def fill(self, gateway, port, count):
        """In portions: a thousand at once are more than the other side begins to serve in ten seconds on a busy machine."""
        held = []
        while len(held) < count:
            some = [self.connect(gateway, port) for _ in range(min(32, count - len(held)))]
            self.assertEqual({peers.read_line(one) == peers.CLOSED for one in some}, {False})
            held += some
        return held

    def assert_full(self, gateway, port):
        begun = time.monotonic()
        self.assertEqual([peers.who(gateway.address, port) for _ in range(10)], [peers.CLOSED] * 10)
        self.assertLess(time.monotonic() - begun, AT_ONCE)

    def check_cap(self, name, address, **spec):
        gateway = self.gateway(name, [443], envoyClusterMaxConnections=5, **spec)
        held = self.fill(gateway, 443, 5)
        self.assert_full(gateway, 443)
        self.assert_counted(gateway, True)
        self.assertTrue(all(peers.alive(one) for one in held))
        held[0].close()
        eventually("a place is free again", lambda: peers.who(gateway.address, 443) == address)
        self.assertTrue(all(peers.alive(one) for one in held[1:]))

    def test_tcp(self):
        self.resolver.set("capped.example.com", world.public(70))
        peers.Tcp(world.public(70), 443)
        self.check_cap("capped", world.public(70))

    def test_with_overrides(self):
        self.resolver.set("capover.example.com", world.public(71))
        peers.Tcp(world.public(72), 443)
        self.check_cap("capover", world.public(72), ipOverride=[world.public(72)])

    def test_ports_are_capped_apart(self):
        self.resolver.set("twoports.example.com", world.public(73))
        peers.Tcp(world.public(73), 443), peers.Tcp(world.public(73), 444)
        gateway = self.gateway("twoports", [443, 444], envoyClusterMaxConnections=2)
        self.fill(gateway, 443, 2)
        self.assert_full(gateway, 443)
        self.fill(gateway, 444, 2)

    def test_without_a_cap_envoy_s_own_is_as_quick(self):
        """1024 connections a cluster, when the specification says nothing."""
        for name, spec in (("nocap", {}), ("nocapover", {"ipOverride": [world.public(75)]})):
            with self.subTest(name):
                self.resolver.set(f"{name}.example.com", world.public(75))
                peers.Tcp(world.public(75), 443) if name == "nocap" else None
                gateway = self.gateway(name, [443], **spec)
                held = self.fill(gateway, 443, 1024)
                self.assert_full(gateway, 443)
                self.assert_counted(gateway, "ipOverride" in spec)
                for one in held:
                    one.close()

    def named(self, gateway, name, address):
        made = peers.connect_named(gateway.address, 443, name, address)
        self.addCleanup(made.close) if made != peers.CLOSED else None
        return made

    def test_wildcards(self):
        """One cap a port, whatever is named. It is judged when the name has been said."""
        address = world.public(79)
        peers.Tcp(address, 443)
        for name, cap, spec in (("few", 5, {"envoyClusterMaxConnections": 5}), ("many", 1024, {})):
            with self.subTest(cap):
                hosts = [f"{host}.{name}.example.com" for host in "ab"]
                for host in hosts:
                    self.resolver.set(host, address)
                gateway = self.gateway(name, [443], f"*.{name}.example.com", **spec)
                held = [self.named(gateway, hosts[number % 2], address) for number in range(cap)]
                self.assertNotIn(peers.CLOSED, held)
                begun = time.monotonic()
                self.assertEqual([self.named(gateway, host, address) for host in 5 * hosts], [peers.CLOSED] * 10)
                self.assertLess(time.monotonic() - begun, AT_ONCE)
                self.assert_counted(gateway, bool(spec))
                self.assert_given_up(gateway, 443, b"", world.public(203))
                self.assertTrue(all(peers.alive(one) for one in held))
                held[0].close()
                eventually("a place is free again", lambda gateway=gateway, host=hosts[1]: self.named(gateway, host, address) != peers.CLOSED)

    def assert_counted(self, gateway, asked, refused=10):
        """Envoy's own cap has lines in the log, the specification's a counter."""
        where = "envoy_connection_limit_limited_connections" if asked else "envoy_cluster_upstream_cx_overflow"
        self.assertEqual(self.stat(gateway, where, "_443"), refused)
        if not asked:
            eventually("they are logged", lambda: gateway.output().count(" UO ") == refused)
        self.assertEqual(gateway.output().count(" UO "), 0 if asked else refused)

    def test_udp_has_room_for_more_clients_than_envoy_s_own_limit(self):
        self.resolver.set("crowded.example.com", world.public(77))
        peers.Udp(world.public(77), 53)
        gateway = self.gateway("crowded", ["53/UDP"])
        answers = [peers.ask_udp(gateway.address, 53) for _ in range(1500)]
        self.assertEqual(answers.count((world.public(77), "hello")), 1500)

    def test_udp_datagrams_of_clients_above_the_cap_are_dropped_and_counted(self):
        self.resolver.set("cappedudp.example.com", world.public(79))
        upstream = peers.Udp(world.public(79), 53)
        gateway = self.gateway("cappedudp", ["53/UDP"], envoyClusterMaxConnections=2)
        asked = [peers.ask_udp(gateway.address, 53, seconds=0.5) for _ in range(6)]
        self.assertEqual(asked, [(world.public(79), "hello")] * 2 + [None] * 4)
        self.assertEqual(len(upstream.peers), 2)
        self.assertEqual(self.stat(gateway, "envoy_cluster_upstream_cx_overflow", "_UDP_53"), 4)

    def test_a_gateway_that_is_full_is_ready(self):
        """The memory guard: so many connections over all ports as the memory limit has room for."""
        self.resolver.set("full.example.com", world.public(76))
        peers.Tcp(world.public(76), 443)
        gateway = self.gateway("full", [443], envoyClusterMaxConnections=100_000,
                               resources={"limits": {"memory": "64Mi"}})
        self.fill(gateway, 443, 1024)
        self.assert_full(gateway, 443)
        self.assertEqual(gateway.http("/ready"), (200, "LIVE\n"))
        self.assertEqual(self.stat(gateway, "envoy_listener_downstream_global_cx_overflow", "_443"), 10)

    def test_a_gateway_whose_memory_is_used_up_is_ready(self):
        """Envoy's heap is above such a limit from the start: a connection is closed at once, and not kept waiting."""
        upstream = peers.Tcp(world.public(78), 443)
        for name, delivery in (("heavy", "Restart"), ("heavyreload", "Reload")):
            with self.subTest(delivery):
                self.resolver.set(f"{name}.example.com", world.public(78))
                gateway = self.gateway(name, [443], configDelivery=delivery, resources={"limits": {"memory": "1Mi"}})
                eventually("it is seen to be full", lambda gateway=gateway: self.stat(
                    gateway, "envoy_overload", "reject_incoming_connections_active") == 1)
                self.assert_full(gateway, 443)
                self.assertEqual(gateway.http("/ready"), (200, "LIVE\n"))
                self.assertEqual(self.stat(gateway, "envoy_listener_downstream_cx_overload_reject", "_443"), 10)
        self.assertEqual(upstream.peers, [])

    def stat(self, gateway, name, *parts):
        """The one sample whose name begins so, and has these parts."""
        found = [value for key, value in gateway.stats().items() if key.startswith(name) and all(part in key for part in parts)]
        self.assertEqual(len(found), 1, name)
        return found[0]


if __name__ == "__main__":
    cases.main()
