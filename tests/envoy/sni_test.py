#!/usr/bin/env python3
"""tls.sni: Enforce lets only TLS connections pass that name the host."""
from harness import cases
from harness.cases import TrafficTest, peers, world

NAME = "api.bank.example"


class Sni(TrafficTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.upstream = peers.Tcp(world.public(90), 443, peers.certificate(cls.folder))
        cls.banner = peers.Tcp(world.public(90), 25)
        cls.resolver.set(NAME, world.public(90))

    def setUp(self):
        self.enforcing = self.gateway("bank", [443, 25], NAME, tls={"sni": "Enforce"})

    def refused(self, what, name=None, client=world.NODE):
        """Lines differ in the name, or in the client's address."""
        wanted = [" NR ", f'"{client}:'] + ([f'"{name}"'] if name else [])
        self.enforcing.wait_for(f"{what} is logged", lambda: any(
            all(one in line for one in wanted) for line in self.enforcing.output().splitlines()))

    def test_the_right_name_passes(self):
        for name in (NAME, "API.Bank.Example"):
            self.assertEqual(peers.who_tls(self.enforcing.address, 443, name), world.public(90), name)

    def test_the_name_of_the_specification_may_be_written_in_any_way(self):
        gateway = self.gateway("odd", [443], "API.bank.EXAMPLE.", tls={"sni": "Enforce"})
        self.assertEqual(peers.who_tls(gateway.address, 443, NAME), world.public(90))

    def test_other_names_are_closed_and_logged(self):
        before = len(self.upstream.peers)
        for name in ("other.bank.example", "bank.example", f"x.{NAME}", f"{NAME}.evil.example", "localhost"):
            self.assertEqual(peers.who_tls(self.enforcing.address, 443, name), peers.CLOSED, name)
            self.refused(name, name=name)
        self.assertEqual(len(self.upstream.peers), before)

    def test_no_name_and_plain_text_are_closed_and_logged(self):
        before = len(self.upstream.peers) + len(self.banner.peers)
        nameless, plain = world.public(201), world.public(202)
        self.assertEqual(peers.who_tls(self.enforcing.address, 443, None, source=nameless), peers.CLOSED)
        self.refused("a connection without a name", client=nameless)
        with peers.connect(self.enforcing.address, 443, source=plain) as made:
            made.sendall(b"GET / HTTP/1.1\r\nHost: api.bank.example\r\n\r\n")
            self.assertEqual(peers.read_line(made), peers.CLOSED)
        self.refused("plain text", client=plain)
        self.assertEqual(len(self.upstream.peers) + len(self.banner.peers), before)

    def test_a_protocol_in_which_the_server_speaks_first_ends_after_five_seconds(self):
        before = len(self.banner.peers)
        self.assert_given_up(self.enforcing, 25, b"", world.public(203))
        self.assertEqual(len(self.banner.peers), before)

    def test_half_of_the_right_name_is_none(self):
        before, hello = len(self.upstream.peers), peers.client_hello(NAME)
        self.assertIn(NAME.encode(), hello[:-1])
        self.assert_given_up(self.enforcing, 443, hello[:-1], world.public(204))
        self.assertEqual(len(self.upstream.peers), before)

    def test_without_it_everything_passes(self):
        gateway = self.gateway("open", [443, 25], NAME)
        for name in (NAME, "other.bank.example", None):
            self.assertEqual(peers.who_tls(gateway.address, 443, name), world.public(90), name)
        self.assertEqual(peers.who(gateway.address, 25), world.public(90), "and at once")


if __name__ == "__main__":
    cases.main()
