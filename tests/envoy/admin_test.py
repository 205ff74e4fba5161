#!/usr/bin/env python3
"""The annotated port serves probes and scrapes, and nothing else of Envoy's admin interface."""
import socket

from harness import cases
from harness.cases import TrafficTest, peers, world

HARMFUL = ["/quitquitquit", "/healthcheck/fail", "/drain_listeners", "/logging?level=off", "/reset_counters", "/runtime_modify"]
CURIOUS = ["/", "/config_dump", "/clusters", "/certs", "/stats", "/server_info", "/ready/", "/readyz", "/stats/prometheus/x", "/memory"]
SNEAKY = ["/ready/../quitquitquit", "/ready/%2e%2e/quitquitquit", "//quitquitquit", "/ready;/../quitquitquit", "/ready%2f..%2fquitquitquit",
          "/%71uitquitquit", "/stats/prometheus/../../quitquitquit", "/quitquitquit?/ready", "/./config_dump", "/READY"]
MALFORMED = ["/ready%00", "/quitquitquit%00", "quitquitquit"]  # 400, from Envoy itself
DELIVERIES = {"Restart": ["/ready", "/stats/prometheus"], "Reload": ["/ready", "/stats/prometheus", "/listeners"]}


class Admin(TrafficTest):
    def setUp(self):
        self.resolver.set("admin.example.com", world.public(80))
        peers_here = getattr(type(self), "upstream", None) or peers.Tcp(world.public(80), 443)
        type(self).upstream = peers_here

    def test_probes_and_scrapes(self):
        gateway = self.gateway("admin", [443, 11000])
        self.assertEqual(gateway.admin_port, 11001, "the annotated port makes way for the specification's")
        self.assertEqual(gateway.http("/ready"), (200, "LIVE\n"))
        self.assertEqual(gateway.http("/ready?x=1")[0], 200)
        peers.who(gateway.address, 443)
        stats = gateway.stats()
        total = [value for key, value in stats.items() if "downstream_cx_total" in key and "admin_TCP_443" in key]
        self.assertEqual(total, [1.0], "statistics are called after the port")
        self.assertEqual(gateway.http("/stats/prometheus?usedonly")[0], 200)

    def test_everything_else_is_404_and_harms_nothing(self):
        for delivery, served in DELIVERIES.items():
            gateway = self.gateway("admin", [443], configDelivery=delivery)
            others = HARMFUL + CURIOUS + SNEAKY + [f"{path}/" for path in served] + ["/listeners"] * ("/listeners" not in served)
            for method in ("GET", "POST"):
                for path in others:
                    self.assertEqual(gateway.http(path, method)[0], 404, f"{delivery}: {method} {path}")
                for path in MALFORMED:
                    self.assertEqual(gateway.http(path, method)[0], 400, f"{delivery}: {method} {path}")
            for path in served:
                self.assertEqual(gateway.http(path)[0], 200, f"{delivery}: {path}")
                for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"):
                    self.assertEqual(gateway.http(path, method)[0], 404, f"{delivery}: {method} {path}")
            self.assertTrue(gateway.alive())
            self.assertEqual(gateway.http("/ready"), (200, "LIVE\n"))
            self.assertEqual(peers.who(gateway.address, 443), world.public(80))

    def test_the_admin_interface_is_out_of_reach_of_the_network(self):
        gateway = self.gateway("admin", [443])
        with open(f"/proc/{gateway.pid}/net/tcp", encoding="ascii") as file:
            listening = {int(line.split()[1].split(":")[1], 16) for line in file.readlines()[1:] if line.split()[3] == "0A"}
        self.assertEqual(listening, {443, gateway.admin_port})
        with socket.socket(socket.AF_UNIX) as outside, self.assertRaises(OSError):
            outside.connect("\0egress-admin-admin")

    def test_only_attempts_are_logged(self):
        gateway = self.gateway("admin", [443])
        for _ in range(5):
            gateway.http("/ready"), gateway.http("/stats/prometheus")
        gateway.http("/quitquitquit", "POST")
        gateway.wait_for("the attempt is logged", lambda: "POST /quitquitquit" in gateway.output())
        lines = [line for line in gateway.output().splitlines() if "HTTP/1.1" in line]
        self.assertEqual(len(lines), 1, lines)


if __name__ == "__main__":
    cases.main()
