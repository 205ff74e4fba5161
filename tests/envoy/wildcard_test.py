#!/usr/bin/env python3
"""Wildcards: the SNI decides where a TLS connection goes, below the suffix and to public addresses only."""
from harness import cases, suite
from harness.cases import TrafficTest, eventually, peers, world

# An address of each range that must not be reached; somebody answers at every one of them.
OURS = [world.NODE, "fd00:244::1"]  # the world has these anyway
INSIDE = ["100.64.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.8", "192.168.1.1", "198.18.0.1", "64:ff9b::a14:9",
          "64:ff9b:1::a14:9", "100::1", "2001::1", "2002:a14:9::1", "fec0::1"]
# Envoy has no way to these, guard or not.
NOWHERE = [f"::ffff:{world.private(9)}", "fe80::1"]
ITSELF = ["127.0.0.1", "0.0.0.0", "::1"]


class Wildcard(TrafficTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.context = context = peers.certificate(cls.folder)
        # Before 1.40 Envoy connects first and judges when the client has spoken: what is inside hears nothing.
        cls.judges_first = suite.running() >= (1, 40)
        cls.outside = [peers.Tcp(world.public(last), 443, context) for last in (120, 121)]
        for address in INSIDE:
            world.run("ip", "address", "add", *([f"{address}/128", "nodad"] if ":" in address else [f"{address}/32"]), "dev", "lo")
        cls.inside = {address: peers.Tcp(address, 443, context)
                      for address in [world.private(9), *OURS, *INSIDE]}
        for address in OURS + INSIDE + NOWHERE + ITSELF:
            cls.resolver.set(cls.name_of(address), address)
        cls.resolver.set("api.example.com", world.public(120))
        cls.resolver.set("a.b.c.example.com", world.public(121))
        cls.resolver.set("example.com", world.public(120))
        cls.resolver.set("foreign.example.org", world.public(120))
        cls.resolver.set("evilexample.com", world.public(120))
        cls.resolver.set("rebound.example.com", world.private(9))
        cls.resolver.set("mixed.example.com", world.private(9), world.public(120))

    def setUp(self):
        for one in self.inside.values():
            one.peers.clear()
            one.heard.clear()
        self.gateway_ = self.gateway("wild", [443], "*.example.com")

    @staticmethod
    def name_of(address):
        return f"inside-{address.replace('.', '-').replace(':', 'x')}.example.com"

    def who(self, name, gateway=None):
        return peers.who_tls((gateway or self.gateway_).address, 443, name, seconds=30)

    def assert_nothing_inside(self):
        self.assertEqual([address for address, one in self.inside.items() if one.heard], [])
        if self.judges_first:
            self.assertEqual([address for address, one in self.inside.items() if one.peers], [],
                             "not even a connection that says nothing")

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

    def test_who_names_no_host_in_time_is_closed_and_logged(self):
        self.resolver.forget_questions()
        for said, source in ((b"", 203), (peers.client_hello("api.example.com")[:-1], 204)):
            self.assert_given_up(self.gateway_, 443, said, world.public(source))
        self.assertEqual(self.resolver.asked, [])

    def test_names_that_resolve_to_inside_addresses_are_closed(self):
        self.assertEqual(self.who("rebound.example.com"), peers.CLOSED)
        for address in OURS + INSIDE + NOWHERE:
            self.assertEqual(self.who(self.name_of(address)), peers.CLOSED, address)
        self.assert_nothing_inside()

    def test_the_clusters_own_ranges_are_inside(self):
        self.resolver.set("six.example.com", world.PUBLIC6)
        six = peers.Tcp(world.PUBLIC6, 443, self.context)
        gateway = self.gateway("ranged", [443], "*.example.com",
                               flags=["--private-range", f"{world.public(121)}/32,2001:db8::/32"])
        self.assertEqual(self.who("six.example.com"), world.PUBLIC6, "without the flag")
        ranged = (six, self.outside[1])
        before = [(len(one.peers), len(one.heard)) for one in ranged]
        for name in ("a.b.c.example.com", "six.example.com"):
            self.assertEqual(self.who(name, gateway), peers.CLOSED, name)
        after = [(len(one.peers), len(one.heard)) for one in ranged]
        self.assertEqual([heard for _, heard in after], [heard for _, heard in before])
        if self.judges_first:
            self.assertEqual(after, before)
        self.assertEqual(self.who("api.example.com", gateway), world.public(120))

    def test_a_name_that_resolves_to_the_gateway_itself_goes_round_no_more_than_once(self):
        for address in ITSELF:
            self.assertEqual(self.who(self.name_of(address)), peers.CLOSED, address)
        seen = [value for key, value in self.gateway_.stats().items()
                if key.startswith("envoy_listener_downstream_cx_total") and "_443" in key]
        self.assertEqual(len(seen), 1)
        self.assertGreaterEqual(seen[0], len(ITSELF))
        self.assertLessEqual(seen[0], len(ITSELF) if self.judges_first else 2 * len(ITSELF))

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
        for address in OURS + INSIDE:
            self.assertEqual(self.who(self.name_of(address), gateway), address)
        self.assertEqual(self.who("api.example.com", gateway), world.public(120))
        self.assertEqual(self.who("foreign.example.org", gateway), peers.CLOSED)


if __name__ == "__main__":
    cases.main()
