#!/usr/bin/env python3
"""configDelivery: Reload. A ConfigMap that changes reaches the running Envoy as a kubelet delivers it, with connections in flight."""
import re
import time

from harness import cases, suite
from harness.cases import TrafficTest, eventually, peers, world
from harness.rendering import external_service

DRAIN = 3
FLAGS = ["--gateway-drain-seconds", str(DRAIN)]
HELD, OTHER = world.public(180), world.public(181)
ANY, OVERRIDE = {"dnsName": "*.any.example.com"}, {"ipOverride": [HELD]}
# What is changed: (before, after, whether the listener is another with it, and its connections drain).
CHANGES = {
    "cluster access logs": ({}, {"envoyJsonClusterAccessLogs": True}, True),
    "admin access logs": ({}, {"envoyJsonAdminAccessLogs": True}, False),
    "SNI enforced": ({}, {"tls": {"sni": "Enforce"}}, True),
    "SNI no longer enforced": ({"tls": {"sni": "Enforce"}}, {}, True),
    "a cap": ({}, {"envoyClusterMaxConnections": 5}, True),
    "another cap": ({"envoyClusterMaxConnections": 5}, {"envoyClusterMaxConnections": 6}, True),
    "an override": ({}, OVERRIDE, True),
    "no override": (OVERRIDE, {}, True),
    "another override": (OVERRIDE, {"ipOverride": [OTHER]}, False),
    "the refresh rate": ({}, {"envoyDnsRefreshRateS": 7}, False),
    "the TTL": ({}, {"envoyRespectDnsTTL": False}, False),
    "private addresses": (ANY, {**ANY, "allowPrivate": True}, True),
    "another wildcard": (ANY, {"dnsName": "*.other.example.com"}, True),
    "a wildcard's refresh rate": (ANY, {**ANY, "envoyDnsRefreshRateS": 7}, True),
}


def service(name, ports, **spec):
    listed = [{"port": int(str(one).split("/", maxsplit=1)[0]), "protocol": "UDP" if str(one).endswith("UDP") else "TCP"}
              for one in ports]
    return external_service(name, spec.pop("dnsName", None), ports=listed, configDelivery="Reload", **spec)


class Reload(TrafficTest):
    def start(self, name, ports, **spec):
        return self.gateway(name, ports, dns_name=spec.pop("dnsName", None), flags=FLAGS, configDelivery="Reload", **spec)

    def change(self, gateway, ports, **spec):
        """Without another pod."""
        self.assertTrue(gateway.take_up(service(gateway.name_of, ports, **spec), FLAGS), "the pods stay")

    def hold(self, gateway, port, upstream):
        made = self.connect(gateway, port)
        self.assertEqual(peers.read_line(made), upstream)
        return made

    def upstream(self, last, *ports, name=None):
        for port in ports:
            peers.Udp(world.public(last), 53) if port == "53/UDP" else peers.Tcp(world.public(last), port)
        if name:
            self.resolver.set(f"{name}.example.com", world.public(last))
        return world.public(last)

    def has(self, gateway, what):
        """Does Envoy say that it has the ConfigMap's version of the file ("lds", "cds")?"""
        text = gateway.children["ConfigMap"]["data"][f"{what}.yaml"]
        wanted = text.rsplit("versionInfo:", 1)[1].strip().strip('"')
        manager = {"lds": "listener_manager", "cds": "cluster_manager"}[what]
        return f'envoy_{manager}_{what}_version_text{{text_value="{wanted}"}}' in gateway.http("/stats/prometheus?text_readouts")[1]

    def applied(self, gateway, what):
        eventually(f"it has {what}", lambda: self.has(gateway, what))

    def test_a_new_port_is_served_and_touches_no_other(self):
        one = self.upstream(160, 443, 8443, "53/UDP", name="adding")
        gateway = self.start("adding", [443])
        held = self.hold(gateway, 443, one)
        self.assertEqual(gateway.listeners(), {"admin", "adding_TCP_443"})
        self.change(gateway, [443, 8443, "53/UDP"])
        eventually("its listeners are reported", lambda: gateway.listeners() >= {"adding_TCP_8443", "adding_UDP_53"})
        self.applied(gateway, "cds")  # a listener may come some milliseconds before its cluster
        self.assertEqual(peers.who(gateway.address, 8443), one)
        self.assertEqual(peers.ask_udp(gateway.address, 53), (one, "hello"))
        self.assertTrue(peers.alive(held))
        self.assertTrue(gateway.alive())

    def test_a_port_below_1024_needs_no_other_pod(self):
        one = self.upstream(161, 8443, 80, name="low")
        gateway = self.start("low", [8443], exact=True)
        self.change(gateway, [8443, 80])
        eventually("its listener is reported", lambda: "low_TCP_80" in gateway.listeners())
        self.applied(gateway, "cds")
        self.assertEqual(peers.who(gateway.address, 80), one)

    def test_connections_of_a_removed_port_live_as_long_as_the_drain(self):
        one = self.upstream(162, 443, 8443, name="removing")
        gateway = self.start("removing", [443, 8443])
        kept, gone = self.hold(gateway, 443, one), self.hold(gateway, 8443, one)
        self.change(gateway, [443])
        self.assert_drains(gone, lambda: gateway.listeners() == {"admin", "removing_TCP_443"})
        with self.assertRaises(ConnectionRefusedError):
            peers.connect(gateway.address, 8443)
        self.assertTrue(peers.alive(kept))

    def assert_drains(self, connection, begun):
        """In flight as long as the drain, and no longer."""
        eventually("the change has come", begun)
        since = time.monotonic()
        self.assertTrue(peers.alive(connection), "the drain has just begun")
        eventually("it is over", lambda: not peers.alive(connection), DRAIN + 5)
        took = time.monotonic() - since
        suite.figure("seconds that a connection of a changed listener lived", round(took, 1))
        self.assertGreater(took, DRAIN - 1)
        self.assertLess(took, DRAIN + 3)

    def test_what_a_change_does_to_connections_in_flight(self):
        """The table of docs/gateways.md; all at once, for the time that it takes."""
        peers.Tcp(HELD, 443), peers.Tcp(OTHER, 443)
        held = {what: self.held_through(number, before) for number, (what, (before, _, _)) in enumerate(CHANGES.items())}
        begun, lived = {}, {}

        def is_open(connection):
            try:
                return peers.alive(connection)
            except TimeoutError:  # of a machine that stands still; it is looked at again
                return True

        def look():
            for what, since in begun.items():
                if what not in lived and not is_open(held[what][1]):
                    lived[what] = round(time.monotonic() - since, 1)
            return time.monotonic() - max(begun.values()) > DRAIN + 3

        for what, (gateway, _) in held.items():
            begun[what] = time.monotonic()
            self.change(gateway, [443], **CHANGES[what][1])
            look()
        for gateway, _ in held.values():
            self.applied(gateway, "lds"), self.applied(gateway, "cds")
            look()
        eventually("the drains are over", look, DRAIN + 20)
        suite.figure("seconds that connections lived after a change", lived)
        self.assertEqual(set(lived), {what for what, (_, _, drains) in CHANGES.items() if drains})
        for what in set(held) - set(lived):
            self.assertTrue(peers.alive(held[what][1]), what)
        for what, took in lived.items():
            self.assertGreater(took, DRAIN - 1, what)
            self.assertLess(took, DRAIN + 3, what)
        plain = [what for what, (before, after, _) in CHANGES.items() if not {"dnsName", "tls"} & {*before, *after}]
        # An override whose first check found no time on a busy machine carries nothing until three checks in a row were good.
        eventually("new ones go to the other override", lambda: peers.who(held["another override"][0].address, 443) == OTHER, 45)
        self.assertEqual({what: peers.who(held[what][0].address, 443) for what in plain},
                         {what: OTHER if what == "another override" else HELD for what in plain}, "new ones")

    def held_through(self, number, before):
        """(gateway, a connection through it) of what is to change."""
        name = f"held{number}"
        host = before.get("dnsName", f"{name}.example.com").replace("*", "a")
        self.resolver.set(host, HELD)
        gateway = self.start(name, [443], **before)
        if "dnsName" not in before and "tls" not in before:
            return gateway, self.hold(gateway, 443, HELD)
        made = peers.connect_named(gateway.address, 443, host, HELD)
        self.addCleanup(made.close)
        return gateway, made

    def test_overrides_come_and_go(self):
        """Between the two files, whose order is Envoy's, connections may be closed: for as long as it takes to read one."""
        one, other = self.upstream(163, 9443, name="overriding"), self.upstream(164, 9443)
        gateway = self.start("overriding", [9443])
        for upstream, change in ((other, {"ipOverride": [other]}), (one, {})):
            closed = []

            def who():
                found = peers.who(gateway.address, 9443)
                closed.extend([time.monotonic()] if found == peers.CLOSED else [])
                return found

            self.change(gateway, [9443], **change)
            eventually("it is used", lambda wanted=upstream: who() == wanted, 40, every=0)
            took = round(max(closed) - min(closed), 3) if closed else 0
            suite.figure("seconds in which connections were closed while overrides changed", took)
            self.assertLess(took, 2, "some ten milliseconds, on a busy machine")

    def test_another_name_leaves_listeners_and_their_connections_alone(self):
        one, other = self.upstream(165, 443, name="renaming"), self.upstream(166, 443)
        self.resolver.set("renamed.example.com", other)
        gateway = self.start("renaming", [443])
        held = self.hold(gateway, 443, one)
        self.change(gateway, [443], dnsName="renamed.example.com")
        eventually("new connections go to the new name", lambda: peers.who(gateway.address, 443) == other)
        # Longer than the drain: it is another cluster, and the same listener.
        cases.stays("what there was goes on", lambda: peers.alive(held), DRAIN + 2)

    def test_no_connection_is_lost_while_the_name_changes(self):
        one, other = self.upstream(167, 443, name="busy"), self.upstream(168, 443)
        self.resolver.set("busier.example.com", other)
        gateway = self.start("busy", [443])
        seen = [peers.who(gateway.address, 443)]
        self.change(gateway, [443], dnsName="busier.example.com")
        eventually("it has changed", lambda: seen.append(peers.who(gateway.address, 443)) or seen[-1] == other, every=0)
        self.assertEqual(set(seen), {one, other}, f"of {len(seen)} connections")

    def test_what_cannot_be_read_keeps_what_there_was(self):
        one = self.upstream(169, 443, name="broken")
        gateway = self.start("broken", [443])
        held, good = self.hold(gateway, 443, one), dict(gateway.children["ConfigMap"]["data"])
        for number, broken in enumerate((
                {**good, "lds.yaml": "resources: ["},
                {**good, "lds.yaml": good["lds.yaml"].replace("statPrefix", "statPrefux")},
                {**good, "lds.yaml": good["lds.yaml"].replace("tcp_proxy.v3.TcpProxy", "no.such.Filter")},
                {**good, "lds.yaml": good["lds.yaml"].replace("  address:", "  addresses:", 1)},
                {"envoy.yaml": good["envoy.yaml"]})):
            with self.subTest(number):
                refused = self.refused(gateway)
                gateway.deliver(broken)
                eventually("it was refused", lambda before=refused: self.refused(gateway) > before)
                self.assertEqual(gateway.listeners(), {"admin", "broken_TCP_443"})
                self.assertEqual(peers.who(gateway.address, 443), one)
                self.assertTrue(peers.alive(held))
        # Files that were gone are links again only after the swap that brings them: the next change finds them.
        gateway.deliver(good)
        self.change(gateway, [443, 8443])
        eventually("what is good again is taken", lambda: "broken_TCP_8443" in gateway.listeners())
        self.assertTrue(peers.alive(held))

    def test_clusters_that_cannot_be_read_keep_what_there_were(self):
        """cds.yaml alone: the listeners are as they were, and name clusters of before."""
        one, other = self.upstream(176, 443, name="halfbroken"), self.upstream(177, 443)
        self.resolver.set("mended.example.com", other)
        gateway = self.start("halfbroken", [443])
        held, good = self.hold(gateway, 443, one), dict(gateway.children["ConfigMap"]["data"])
        for how, broken in (("rejected", good["cds.yaml"].replace("connectTimeout: 5s", "connectTimeout: 0s")),
                            ("rejected", good["cds.yaml"].replace("connectTimeout: 5s", "connectTimeuot: 5s")),
                            ("failure", "resources: [")):
            with self.subTest(broken[-200:]):
                counted = f"envoy_cluster_manager_cds_update_{how}{{}}"
                refused = gateway.stats()[counted]
                gateway.deliver({**good, "cds.yaml": broken})
                eventually("it was refused", lambda counted=counted, refused=refused: gateway.stats()[counted] > refused)
                self.assertEqual(peers.who(gateway.address, 443), one)
                self.assertTrue(peers.alive(held))
        self.change(gateway, [443], dnsName="mended.example.com")
        eventually("what is good again is taken", lambda: peers.who(gateway.address, 443) == other)
        self.assertTrue(peers.alive(held))

    def refused(self, gateway):
        stats = gateway.stats()
        return sum(stats[f"envoy_listener_manager_lds_update_{how}{{}}"] for how in ("rejected", "failure"))

    def test_a_new_pod_with_a_broken_configuration_is_not_ready(self):
        """It has no old one to keep: it must not replace pods that have."""
        one = self.upstream(170, 443, name="newcomer")
        gateway = self.start("newcomer", [443])
        good = dict(gateway.children["ConfigMap"]["data"])
        gateway.stop()
        for file in ("lds.yaml", "cds.yaml"):
            with self.subTest(file):
                gateway.deliver({**good, file: good[file].replace("name: newcomer_TCP_443", "nome: newcomer_TCP_443")})
                gateway.start_again()
                eventually("it was refused", lambda: re.search("config update (rejected|failure)", gateway.output()))
                cases.stays("it is not ready", lambda: not self.is_ready(gateway), 2)
                gateway.deliver(good)
                gateway.wait_until_ready()
                self.assertEqual(peers.who(gateway.address, 443), one)
                gateway.stop()

    def is_ready(self, gateway):
        try:
            return gateway.http("/ready")[0] == 200
        except OSError:
            return False

    def test_a_gateway_of_restart_takes_up_nothing(self):
        self.upstream(171, 443, name="static")
        gateway = self.gateway("static", [443])
        self.assertFalse(gateway.take_up(service("static", [443, 8443])), "other pods")
        self.assertEqual(gateway.http("/listeners")[0], 404)

    def test_wildcards(self):
        context = peers.certificate(self.folder)
        one = world.public(172)
        peers.Tcp(one, 443, context), peers.Tcp(one, 8443, context)
        self.resolver.set("a.wild.example.com", one)
        gateway = self.start("wild", [443], dnsName="*.wild.example.com")
        self.assertEqual(peers.who_tls(gateway.address, 443, "a.wild.example.com"), one)
        for change in ({"envoyDnsRefreshRateS": 7}, {"allowPrivate": True}, {"envoyDnsRefreshRateS": 9}):
            with self.subTest(change):
                self.change(gateway, [443, 8443], dnsName="*.wild.example.com", **change)
                self.applied(gateway, "cds")
                self.applied(gateway, "lds")
                for port in (443, 8443):
                    self.assertEqual(peers.who_tls(gateway.address, port, "a.wild.example.com"), one)

    def test_udp_goes_on(self):
        one, other = self.upstream(173, "53/UDP", name="datagrams"), self.upstream(174, "53/UDP")
        self.resolver.set("others.example.com", other)
        gateway = self.start("datagrams", ["53/UDP"])
        self.assertEqual(peers.ask_udp(gateway.address, 53), (one, "hello"))
        self.change(gateway, ["53/UDP"], dnsName="others.example.com")
        eventually("new sessions go to the new name", lambda: peers.ask_udp(gateway.address, 53) == (other, "hello"))
        self.change(gateway, ["53/UDP"], dnsName="others.example.com", envoyJsonClusterAccessLogs=True)
        self.applied(gateway, "lds")
        for index in range(50):
            self.assertEqual(peers.ask_udp(gateway.address, 53, f"word {index}"), (other, f"word {index}"))

    def test_back_to_restart_the_old_pods_keep_what_they_have(self):
        one = self.upstream(175, 443, name="returning")
        gateway = self.start("returning", [443])
        held = self.hold(gateway, 443, one)
        failures = self.refused(gateway)
        back = external_service("returning", ports=[{"port": 443, "protocol": "TCP"}])
        self.assertFalse(gateway.take_up(back, FLAGS), "other pods")
        eventually("the files are gone", lambda: self.refused(gateway) > failures)
        self.assertEqual(peers.who(gateway.address, 443), one)
        self.assertTrue(peers.alive(held))


if __name__ == "__main__":
    cases.main()
