#!/usr/bin/env python3
"""Wildcards: the SNI decides where a TLS connection goes, below the suffix and to public addresses only."""
from harness import cases, suite
from harness.cases import TrafficTest, eventually, peers, world

INSIDE = ["127.0.0.1", "169.254.169.254", "10.244.0.1", "100.64.0.1", "192.168.1.1", "172.16.0.1", "0.0.0.0"]
INSIDE6 = ["::1", "fd00:244::1", "::ffff:10.20.0.9", "64:ff9b::a14:9", "fe80::1"]
# Before 1.40 Envoy connects first and judges when the client has spoken: an address that does not answer is given up after
# three attempts of 5 s, one that does hears nothing.
JUDGES_FIRST = suite.running() >= (1, 40)


class Wildcard(TrafficTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        context = peers.certificate(cls.folder)
        cls.outside = [peers.Tcp(world.public(last), 443, context) for last in (120, 121)]
        cls.inside = peers.Tcp(world.private(9), 443, context)
        cls.resolver.set("api.example.com", world.public(120))
        cls.resolver.set("a.b.c.example.com", world.public(121))
        cls.resolver.set("example.com", world.public(120))
        cls.resolver.set("foreign.example.org", world.public(120))
        cls.resolver.set("evilexample.com", world.public(120))
        cls.resolver.set("rebound.example.com", world.private(9))
        cls.resolver.set("mixed.example.com", world.private(9), world.public(120))

    def setUp(self):
        self.inside.peers.clear()
        self.inside.heard.clear()
        self.gateway_ = self.gateway("wild", [443], "*.example.com")

    def who(self, name, gateway=None):
        return peers.who_tls((gateway or self.gateway_).address, 443, name, seconds=30)

    def assert_nothing_inside(self):
        self.assertEqual(self.inside.heard, [])
        if JUDGES_FIRST:
            self.assertEqual(self.inside.peers, [], "not even a connection that says nothing")

    def test_names_below_the_suffix_in_any_case_and_depth(self):
        for name, end in (("api.example.com", 120), ("API.Example.COM", 120), ("a.b.c.example.com", 121), ("A.b.C.example.com", 121)):
            for _ in range(3):
                self.assertEqual(self.who(name), world.public(end), name)
        self.gateway_.wait_for("it is logged", lambda: '"wild_TCP_443" "a.b.c.example.com"' in self.gateway_.output())

    def test_other_names_are_closed_without_a_lookup(self):
        self.resolver.forget_questions()
        before = [len(one.peers) for one in self.outside]
        for name in ("example.com", "foreign.example.org", "evilexample.com", "api.example.com.evil.example.org", None):
            self.assertEqual(self.who(name), peers.CLOSED, name)
        with peers.connect(self.gateway_.address, 443) as made:
            made.sendall(b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
            self.assertEqual(peers.read_line(made), peers.CLOSED)
        self.assertEqual([len(one.peers) for one in self.outside], before)
        self.assertEqual(self.resolver.asked, [])

    def test_names_that_resolve_to_inside_addresses_are_closed(self):
        self.assertEqual(self.who("rebound.example.com"), peers.CLOSED)
        for index, address in enumerate(INSIDE + INSIDE6 if JUDGES_FIRST else ["127.0.0.1", "169.254.169.254", "::1"]):
            self.resolver.set(f"inside{index}.example.com", address)
            self.assertEqual(self.who(f"inside{index}.example.com"), peers.CLOSED, address)
        self.assert_nothing_inside()

    def test_a_name_whose_first_address_is_inside_is_closed(self):
        for _ in range(10):
            self.assertIn(self.who("mixed.example.com"), (peers.CLOSED, world.public(120)))
        self.assert_nothing_inside()

    def test_the_guard_judges_the_first_address_only(self):
        """What Envoy cannot do, written down: its second choice, when the first refuses, is not judged. The NetworkPolicy
        egress-gateways-public-egress stands behind it (docs/gateways.md)."""
        self.resolver.set("second.example.com", world.public(129), world.private(9))
        self.assertEqual(self.who("second.example.com"), world.private(9))

    def test_a_name_that_moves_inside_is_closed_from_then_on(self):
        self.resolver.set("moving.example.com", world.public(120))
        self.assertEqual(self.who("moving.example.com"), world.public(120))
        self.resolver.set("moving.example.com", world.private(9))
        eventually("the new address is refused", lambda: self.who("moving.example.com") == peers.CLOSED, 90, every=1)
        self.assert_nothing_inside()

    def test_a_name_that_does_not_exist_is_closed(self):
        self.assertEqual(self.who("nobody.example.com"), peers.CLOSED)

    def test_allow_private_lifts_the_guard(self):
        gateway = self.gateway("lifted", [443], "*.example.com", allowPrivate=True)
        self.assertEqual(self.who("rebound.example.com", gateway), world.private(9))
        self.assertEqual(self.who("api.example.com", gateway), world.public(120))
        self.assertEqual(self.who("foreign.example.org", gateway), peers.CLOSED)


if __name__ == "__main__":
    cases.main()
