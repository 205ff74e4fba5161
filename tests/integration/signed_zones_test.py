#!/usr/bin/env python3
"""DNSSEC through the operator: a validating Unbound is its upstream, Knot signs the zones. DO, AD and CD mean what they
mean without us, signatures and proofs arrive whole, and a hijacked name in a signed zone is what coredns.md says of it.
"""
import os
import re
import unittest

from coredns_server import CoreDns, corefiles, found_program
from dns_world import DnsTest, Process, need, run, steady_ports

ZONE = """@ 300 SOA ns.{zone} hostmaster.{zone} 1 3600 600 86400 60
@ 300 NS ns
ns 300 A 203.0.113.1
www 300 A 203.0.113.2
www 300 AAAA 2001:db8::2
alias 300 CNAME www
hijacked 300 A 203.0.113.3
hijacked 300 TXT "real text"
*.wild 300 A 203.0.113.4
large 300 TXT {large}
"""
ZONES = ("signed.example", "bogus.example")


def dig(port, *arguments):
    return run("dig", "@127.0.0.1", "-p", port, "+time=3", "+tries=1", "+noadflag", *arguments, check=False)


class Knot(Process):
    """Serves ZONES, and signs them by itself."""

    def __init__(self, folder):
        self.port, = steady_ports(1)
        self.config = f"{folder}/knot.conf"
        os.mkdir(f"{folder}/knot")
        text = (f"server:\n  listen: 127.0.0.1@{self.port}\n  rundir: {folder}/knot\n"
                f"database:\n  storage: {folder}/knot\nlog:\n  - target: stderr\n    any: info\n"
                "policy:\n  - id: p\n    single-type-signing: on\n    nsec3: on\nzone:\n")
        for zone in ZONES:
            file = f"{folder}/{zone}.zone"
            with open(file, "w", encoding="ascii") as out:
                out.write(f"$ORIGIN {zone}.\n" + ZONE.format(zone=zone + ".", large=" ".join([f'"{"x" * 250}"'] * 9)))
            text += (f"  - domain: {zone}\n    file: {file}\n    dnssec-signing: on\n    dnssec-policy: p\n"
                     "    zonefile-sync: -1\n")
        with open(self.config, "w", encoding="ascii") as out:
            out.write(text)
        super().__init__(["knotd", "-c", self.config], f"{folder}/knotd.log")
        for zone in ZONES:
            self.wait_for(f"{zone} is signed", lambda zone=zone: "RRSIG" in run(
                "kdig", "@127.0.0.1", "-p", self.port, "+dnssec", f"www.{zone}", check=False))

    def ds(self, zone):
        """"TAG ALGORITHM DIGEST-TYPE DIGEST" by SHA-256."""
        return next(line.split(" DS ", 1)[1] for line in run("keymgr", "-c", self.config, zone, "ds").splitlines()
                    if re.search(r" DS \d+ \d+ 2 ", line))


class Unbound(Process):
    def __init__(self, folder, name, anchors, lines):
        self.port, = steady_ports(1)
        os.mkdir(f"{folder}/{name}")
        with open(f"{folder}/{name}.conf", "w", encoding="ascii") as out:
            out.write(f"""server:
  interface: 127.0.0.1@{self.port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: {folder}/{name}
  pidfile: {folder}/{name}/pid
  do-daemonize: no
  use-syslog: no
  logfile: ""
  do-not-query-localhost: no
  do-ip6: no
  module-config: "validator iterator"
  ede: yes
  val-log-level: 2
""" + "".join(f'  trust-anchor: "{zone}. DS {ds}"\n' for zone, ds in anchors.items()) + lines +
                      "remote-control:\n  control-enable: no\n")
        super().__init__(["unbound", "-d", "-c", f"{folder}/{name}.conf"], f"{folder}/{name}.log")

    def wait_until_it_validates(self):
        self.wait_for("Unbound validates", lambda: " ad;" in dig(self.port, "www.signed.example", "+dnssec"))


class SignedZones(DnsTest):
    names = (("inside", "hijacked.signed.example"),)
    shared = True

    @classmethod
    def furnish(cls, world):
        knot = world.start(Knot, world.folder)
        cls.anchor = knot.ds("signed.example")
        stubs = "".join(f"stub-zone:\n  name: {zone}\n  stub-addr: 127.0.0.1@{knot.port}\n" for zone in ZONES)
        # The anchor of another zone's key: what bogus.example signs is false.
        cls.unbound = world.start(Unbound, world.folder, "unbound", {zone: cls.anchor for zone in ZONES}, stubs)
        cls.unbound.wait_until_it_validates()
        cls.port = world.operator(upstream=cls.unbound.port).port

    def dig(self, *arguments, port=None):
        return dig(port or self.port, *arguments)

    def records(self, *arguments, port=None):
        """(flags, rcode, the records without their TTLs)"""
        said = self.dig(*arguments, port=port)
        header = re.search(r"status: (\w+).*?flags: ([a-z ]+);", said, re.DOTALL)
        lines = [re.sub(r"^(\S+)\s+\d+\s+", r"\1 ", line) for line in said.splitlines() if line and line[0] != ";"]
        return set(header[2].split()) & {"ad", "cd"}, header[1], sorted(lines)

    def delv(self, *question, port=None):
        kind = self.anchor.split()
        anchors = self.world.file("anchors", "trust-anchors { signed.example. static-ds "
                                             f'{" ".join(kind[:3])} "{kind[3]}"; }};')
        return run("delv", "@127.0.0.1", "-p", port or self.port, "-a", anchors, "+root=signed.example", *question,
                   check=False)

    def test_every_answer_is_what_the_upstream_gave(self):
        for question in (("www",), ("www", "AAAA"), ("www", "MX"), ("alias",), ("x.wild",), ("nobody",), ("nobody.wild", "TXT"),
                         ("large", "TXT"), ("", "DNSKEY"), ("", "SOA"), ("", "NSEC3PARAM"), ("", "NS")):
            name, kind = f"{question[0]}.signed.example".lstrip("."), question[1:]
            for flags in ((), ("+dnssec",), ("+adflag",), ("+dnssec", "+cdflag"), ("+cdflag",), ("+dnssec", "+tcp")):
                theirs = self.records(name, *kind, *flags, port=self.unbound.port)
                for which in ("first", "cached"):
                    with self.subTest(name=name, kind=kind, flags=flags, which=which):
                        self.assertEqual(self.records(name, *kind, *flags), theirs)

    def test_signatures_come_to_who_wants_them(self):
        flags, _, records = self.records("www.signed.example", "+dnssec")
        self.assertEqual((flags, len(records)), ({"ad"}, 2))
        self.assertIn("RRSIG", records[1])
        flags, _, records = self.records("www.signed.example")
        self.assertEqual((flags, len(records)), (set(), 1))
        self.assertEqual(self.records("www.signed.example", "+adflag")[0], {"ad"})

    def check_with_delv(self, port):
        for question in (("www.signed.example",), ("alias.signed.example",), ("x.wild.signed.example",),
                         ("large.signed.example", "TXT")):
            self.assertIn("; fully validated", self.delv(*question, port=port), question)
        for question in (("nobody.signed.example",), ("www.signed.example", "MX"), ("nobody.wild.signed.example", "TXT")):
            self.assertIn("; negative response, fully validated", self.delv(*question, port=port), question)

    def test_a_client_that_validates_itself_is_content(self):
        for _ in ("first", "cached"):
            self.check_with_delv(self.port)

    def test_and_behind_coredns(self):
        if not found_program():
            self.skipTest("CoreDNS has not been built")
        coredns = self.world.start(CoreDns, self.world.folder, corefiles()["."], self.port, self.world.api.kubeconfig,
                                   ready="www.signed.example")
        for _ in ("first", "cached"):
            self.check_with_delv(coredns.port)

    def test_what_is_false_is_refused_with_the_upstream_s_reason(self):
        said = self.dig("www.bogus.example", "+dnssec")
        self.assertIn("status: SERVFAIL", said)
        self.assertRegex(said, r"EDE: (6|9)\b")
        self.assertIn("203.0.113.2", self.dig("www.bogus.example", "+dnssec", "+cdflag"))
        self.assertIn("status: SERVFAIL", self.dig("www.bogus.example"), "the answer for who checks himself is not for others")

    def test_a_hijacked_name_has_no_signature_and_says_so(self):
        address = self.addresses["hijacked.signed.example"]
        for flags in (("+dnssec",), ("+dnssec", "+cdflag"), ("+adflag",)):
            found, _, records = self.records("hijacked.signed.example", *flags)
            self.assertNotIn("ad", found)
            self.assertEqual([line.split()[-1] for line in records], [address])
        for kind in ("A", "TXT"):
            self.assertIn("EDE: 4 (Forged Answer): (ExternalService ", self.dig("hijacked.signed.example", kind, "+dnssec"))
        # So has another type of it, though the record is the zone's own.
        self.assertEqual(self.records("hijacked.signed.example", "TXT", "+dnssec"),
                         (set(), "NOERROR", ['hijacked.signed.example. IN\tTXT\t"real text"']))
        for kind in ("A", "TXT"):
            self.assertNotIn("fully validated", self.delv("hijacked.signed.example", kind))

    def test_a_validating_resolver_needs_a_negative_trust_anchor_for_it(self):
        forward = f"forward-zone:\n  name: .\n  forward-addr: 127.0.0.1@{self.port}\n"
        strict = self.world.start(Unbound, self.world.folder, "strict", {"signed.example": self.anchor}, forward)
        told = self.world.start(Unbound, self.world.folder, "told", {"signed.example": self.anchor},
                                "  domain-insecure: hijacked.signed.example\n" + forward)
        for one in (strict, told):
            one.wait_until_it_validates()
        self.assertIn("status: SERVFAIL", self.dig("hijacked.signed.example", port=strict.port))
        self.assertEqual(self.dig("+short", "hijacked.signed.example", port=told.port).strip(),
                         self.addresses["hijacked.signed.example"])


if __name__ == "__main__":
    need("knotd", "keymgr", "kdig", "unbound", "dig", "delv")
    unittest.main(verbosity=2)
