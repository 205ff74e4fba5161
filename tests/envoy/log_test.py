#!/usr/bin/env python3
"""Access logs: a line for each connection, as text or JSON, that says who, where to, and how it ended."""
import json
import re

from harness import cases, suite
from harness.cases import TrafficTest, peers, world
from harness.rendering import udp_idle_after

TEXT = re.compile(r'^\[(?P<start>[^\]]+Z)\] (?P<received>\d+) (?P<sent>\d+) (?P<duration>\d+) (?P<flags>\S+) "(?P<downstream>[^"]*)" '
                  r'"(?P<upstream>[^"]*)" "(?P<cluster>[^"]*)" "(?P<name>[^"]*)" "(?P<ended>[^"]*)" "(?P<failure>[^"]*)"$')
CLIENT = world.public(200)  # a client's address that is not the gateways' neighbour


class Log(TrafficTest):
    def text_lines(self, gateway):
        return [match.groupdict() for match in map(TEXT.match, gateway.output().splitlines()) if match]

    def json_lines(self, gateway):
        return [json.loads(line) for line in gateway.output().splitlines() if line.startswith("{") and "bytes_sent" in line]

    def wait(self, gateway, lines, **having):
        return gateway.wait_for(f"a line with {having}", lambda: next(
            (one for one in lines(gateway) if all(re.fullmatch(value, str(one.get(key, ""))) for key, value in having.items())), None))

    def talk(self, gateway, port):
        with peers.connect(gateway.address, port, source=CLIENT) as made:
            end = peers.read_line(made)
            self.assertTrue(peers.alive(made, b"hello"))
            return end

    def test_text(self):
        self.resolver.set("texted.example.com", world.public(100))
        peers.Tcp(world.public(100), 443)
        gateway = self.gateway("texted", [443])
        self.talk(gateway, 443)
        line = self.wait(gateway, self.text_lines, flags="-", cluster="texted_TCP_443", upstream=re.escape(f"{world.public(100)}:443"))
        self.assertTrue(line["downstream"].startswith(CLIENT + ":"), line)
        self.assertEqual((line["received"], line["sent"]), ("5", str(len(world.public(100)) + 1 + 5)))

    def test_json(self):
        self.resolver.set("jsoned.example.com", world.public(101))
        peers.Tcp(world.public(101), 443)
        gateway = self.gateway("jsoned", [443], envoyJsonClusterAccessLogs=True, envoyJsonAdminAccessLogs=True)
        self.talk(gateway, 443)
        line = self.wait(gateway, self.json_lines, upstream_cluster="jsoned_TCP_443")
        self.assertTrue(line["downstream_remote_address"].startswith(CLIENT + ":"), line)
        self.assertEqual(line["upstream_remote_address"], f"{world.public(101)}:443")
        self.assertEqual(line["downstream_local_address"], f"{gateway.address}:443")
        self.assertEqual((line["bytes_received"], line["response_flags"]), (5, "-"))
        gateway.http("/quitquitquit", "POST")
        gateway.wait_for("attempts are JSON, too", lambda: '"path":"/quitquitquit"' in gateway.output())

    def test_a_udp_session_is_logged_at_its_end_without_its_cluster(self):
        self.resolver.set("session.example.com", world.public(107))
        peers.Udp(world.public(107), 53)
        reached = "" if suite.running() < (1, 37) else f"{world.public(107)}:53"
        text, as_json = (self.gateway("session", ["53/UDP"], change=udp_idle_after(1), envoyJsonClusterAccessLogs=json_too)
                         for json_too in (False, True))
        for gateway in (text, as_json):
            self.assertEqual(peers.ask_udp(gateway.address, 53, source=CLIENT), (world.public(107), "hello"))
        client, sent = re.escape(CLIENT) + r":\d+", len(f"{world.public(107)} hello")
        line = self.wait(text, self.text_lines, downstream=client)
        self.assertEqual({key: line[key] for key in ("received", "sent", "flags", "upstream", "cluster")},
                         {"received": "5", "sent": str(sent), "flags": "-", "upstream": reached, "cluster": ""})
        line = self.wait(as_json, self.json_lines, downstream_remote_address=client)
        self.assertEqual((line["bytes_received"], line["bytes_sent"], line["response_flags"]), (5, sent, "-"))
        self.assertEqual(line["downstream_local_address"], f"{as_json.address}:53")
        self.assertEqual([line.get(key) or "" for key in ("upstream_remote_address", "upstream_cluster")], [reached, ""])

    def test_the_address_that_was_reached_is_logged_not_the_one_that_was_tried(self):
        self.resolver.set("tried.example.com", world.public(102))
        dying = peers.Tcp(world.public(103), 443)
        peers.Tcp(world.public(104), 443)
        gateway = self.gateway("tried", [443], ipOverride=[world.public(103), world.public(104)])
        dying.die()
        for _ in range(12):
            self.assertEqual(self.talk(gateway, 443), world.public(104))
        gateway.wait_for("all are logged", lambda: len(self.text_lines(gateway)) == 12)
        self.assertEqual({one["upstream"] for one in self.text_lines(gateway)}, {f"{world.public(104)}:443"})
        gateway.wait_for("health events are logged", lambda: '"health_checker_type"' in gateway.output(), 30)

    def test_flags_say_why_a_connection_failed(self):
        self.resolver.set("failing.example.com", world.public(105))
        gateway = self.gateway("failing", [443], envoyClusterMaxConnections=1)
        self.assertEqual(peers.who(gateway.address, 443), peers.CLOSED)
        refused = self.wait(gateway, self.text_lines, flags="(UF|URX).*")
        self.assertTrue(refused["failure"], refused)
        peers.Tcp(world.public(105), 443)
        held = self.connect(gateway, 443)
        self.assertEqual(peers.read_line(held), world.public(105))
        self.assertEqual(peers.who(gateway.address, 443), peers.CLOSED)
        nowhere = self.gateway("nowhere", [443])
        self.assertEqual(peers.who(nowhere.address, 443), peers.CLOSED)
        self.wait(nowhere, self.text_lines, flags="UH")

    def test_a_cap_is_counted(self):
        """A connection over the cap has no line: the count is in the statistics."""
        self.resolver.set("counted.example.com", world.public(106))
        peers.Tcp(world.public(106), 443)
        gateway = self.gateway("counted", [443], envoyClusterMaxConnections=1)
        held = self.connect(gateway, 443)
        peers.read_line(held)
        for _ in range(3):
            self.assertEqual(peers.who(gateway.address, 443), peers.CLOSED)
        limited = [value for key, value in gateway.stats().items() if "limited_connections" in key]
        self.assertEqual(limited, [3.0])


if __name__ == "__main__":
    cases.main()
