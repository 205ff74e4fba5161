#!/usr/bin/env python3
"""Resolvers and DNS tools that people use: each understands the operator's answers the first time, over UDP and TCP."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.request

from dns_world import HERE, REAL_V4, REAL_V6, ROOT, DnsTest, Process, need, run, say, slack, steady_ports

HIJACKED = ("google.com", "google.com.", "GooGle.com", "any.wild.example")
OTHER = "up.example"


class Resolvers(DnsTest):
    names = (("google", "google.com"), ("wild", "*.wild.example"))
    shared = True

    @classmethod
    def furnish(cls, world):
        cls.server = world.operator()

    def check(self, resolve):
        """`resolve` names and gives the addresses of each. A answer is understood when nothing is asked twice: of a
        name without AAAA, too, which resolvers take for a broken server's when its flags are unusual."""
        for name in HIJACKED:
            before = self.server.metric("coredns_dns_requests_total")
            key = "*.wild.example" if "wild" in name else "google.com"
            self.assertEqual(resolve(name), [[self.addresses[key]]], name)
            self.assertEqual(self.server.metric("coredns_dns_requests_total") - before, 2, f"{name}: A and AAAA, no more")
        found, = resolve(OTHER)
        self.assertEqual([one.startswith(net) for one, net in zip(found, (REAL_V6, REAL_V4))], [True, True], found)

    def lines(self, *command, environment=None):
        return [json.loads(line) for line in run(*command, environment=environment).splitlines()]

    def glibc(self, *options, search=""):
        return lambda *names: self.lines(
            sys.executable, f"{HERE}/resolvers/glibc.py", self.server.port, *names,
            environment={"RES_OPTIONS": " ".join(options), "LOCALDOMAIN": search})

    def test_glibc(self):
        for options in ((), ("edns0", "trust-ad"), ("use-vc",), ("single-request",)):
            with self.subTest(options=options):
                self.check(self.glibc(*options))

    def test_glibc_with_the_search_list_of_a_pod(self):
        resolve = self.glibc("ndots:5", search="default.svc.nowhere.example svc.nowhere.example nowhere.example")
        self.assertEqual(resolve("google.com"), [[self.addresses["google.com"]]])

    def test_go(self):
        if not shutil.which("go"):
            self.skipTest("there is no Go")
        program = f"{self.world.folder}/resolver"
        # As CoreDNS is built, so that Go's own packages are there already.
        subprocess.run(["go", "build", "-trimpath", "-o", program, "."], cwd=f"{HERE}/resolvers/go", check=True, timeout=600,
                       env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"})
        for transport in ("udp", "tcp"):
            with self.subTest(transport=transport):
                self.check(lambda *names, how=transport: self.lines(program, self.server.port, how, *names))

    def test_c_ares(self):
        # Debian's package is for Debian's interpreter.
        having = [one for one in (sys.executable, "/usr/bin/python3") if os.path.exists(one) and subprocess.run(
            [one, "-c", "import pycares"], stderr=subprocess.DEVNULL, check=False).returncode == 0]
        if not having:
            self.skipTest("there is no pycares")
        for transport in ("udp", "tcp"):
            with self.subTest(transport=transport):
                self.check(lambda *names, how=transport: self.lines(
                    having[0], f"{HERE}/resolvers/c_ares.py", self.server.port, how, *names))

    def test_c_ares_in_envoy(self):
        found = subprocess.run([f"{ROOT}/scripts/envoy.sh", "--find"], capture_output=True, text=True, check=False)
        if found.returncode != 0:
            self.skipTest(found.stderr.strip())
        for use_tcp in (False, True):
            for name in ("google.com", "GooGle.com", "any.wild.example", OTHER):
                with self.subTest(name=name, use_tcp=use_tcp):
                    before = self.server.metric("coredns_dns_requests_total")
                    found_there = self.resolved_by_envoy(found.stdout.strip(), name, use_tcp)
                    self.assertEqual(self.server.metric("coredns_dns_requests_total") - before, 2, "A and AAAA, no more")
                    if name == OTHER:
                        self.assertEqual(sorted(one.startswith(REAL_V4) for one in found_there), [False, True], found_there)
                    else:
                        self.assertEqual(found_there, [self.addresses["*.wild.example" if "wild" in name else "google.com"]])

    def resolved_by_envoy(self, program, name, use_tcp):
        """The addresses of a cluster whose endpoint has this name."""
        admin, = steady_ports(1)
        loopback = lambda port: {"socket_address": {"address": "127.0.0.1", "port_value": port}}  # noqa: E731
        resolver = {"@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                    "resolvers": [loopback(self.server.port)],
                    "dns_resolver_options": {"use_tcp_for_dns_lookups": use_tcp, "no_default_search_domain": True}}
        endpoint = {"endpoint": {"address": {"socket_address": {"address": name, "port_value": 443}}}}
        config = self.world.file("envoy.json", json.dumps({
            "admin": {"address": loopback(admin)}, "static_resources": {"clusters": [{
                "name": "asked", "type": "STRICT_DNS", "dns_lookup_family": "ALL", "dns_refresh_rate": "60s",
                "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": resolver},
                "load_assignment": {"cluster_name": "asked", "endpoints": [{"lb_endpoints": [endpoint]}]}}]}}))
        envoy = Process([program, "-c", config, "--concurrency", "1", "--disable-hot-restart"], f"{self.world.folder}/envoy.log")
        try:
            return envoy.wait_for(f"Envoy has resolved {name}", lambda: self.hosts(admin), slack(30))
        finally:
            envoy.kill()

    @staticmethod
    def hosts(admin):
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/clusters?format=json", timeout=5) as answer:
            found = json.load(answer)["cluster_statuses"][0]["host_statuses"]
        return [one["address"]["socket_address"]["address"] for one in found]

    def dig(self, *arguments, program="dig"):
        return run(program, "@127.0.0.1", "-p", self.server.port, "+time=2", *arguments)

    def test_dig(self):
        address = self.addresses["google.com"]
        for how in (("+notcp",), ("+tcp",), ("+noedns",), ("+bufsize=512", "+dnssec"), ("+tcp", "+keepopen")):
            self.assertEqual(self.dig("+short", *how, "google.com"), f"{address}\n", how)
            self.assertEqual(self.dig("+short", *how, "google.com", "AAAA"), "", how)
        full = self.dig("google.com")
        self.assertRegex(full, r"COOKIE: [0-9a-f]{48} \(good\)")
        self.assertIn("EDE: 4 (Forged Answer): (ExternalService google)", full)
        self.assertNotIn("WARNING", full)
        self.assertIn("status: NOTIMP", self.dig("+opcode=STATUS", "google.com"))
        self.assertIn("RFC8482", self.dig("google.com", "ANY"))

    def test_kdig(self):
        address = self.addresses["google.com"]
        for how in (("+notcp",), ("+tcp",), ("+tcp", "+keepopen"), ("+edns", "+padding"), ("+cookie",),
                    ("+subnet=192.0.2.0/24",)):
            said = self.dig(*how, "google.com", program="kdig")
            self.assertRegex(said, rf"google\.com\.\s+\d+\s+IN\s+A\s+{re.escape(address)}", how)
            self.assertNotIn("WARNING", said, how)
        nodata = self.dig("google.com", "HTTPS", program="kdig")
        self.assertIn("status: NOERROR", nodata)
        self.assertIn("ANSWER: 0; AUTHORITY: 1", nodata)

    def test_dnsperf(self):
        names = self.world.file("names", "google.com A\ngoogle.com AAAA\nany.wild.example A\nup.example A\ngoogle.com HTTPS\n")
        for how in (("udp",), ("udp", "-e", "-D"), ("tcp",)):
            said = run("dnsperf", "-s", "127.0.0.1", "-p", self.server.port, "-d", names, "-n", 2000, "-c", 4, "-m", *how)
            self.assertIn("Queries completed:    10000 (100.00%)", said)
            self.assertIn("Response codes:       NOERROR 10000 (100.00%)", said)
            say("dnsperf", *how, re.search(r"Queries per second: +([0-9]+)", said)[1], "queries/s")


if __name__ == "__main__":
    need("dig", "kdig", "dnsperf")
    unittest.main(verbosity=2)
