#!/usr/bin/env python3
"""A stock CoreDNS in front of the operator, as docs/coredns.md tells users, whatever befalls either: a hijacked name
never leads to its real address.

EGRESS_COREDNS_QUERIES: how many queries the load has at least (200,000).
"""
import json
import os
import sys
import unittest

from coredns_server import CoreDns, corefiles, found_program, put
from dns_world import LEFT_OUT, REAL_V4, DnsTest, Process, dns, eventually, run, say, slack

QUERIES = int(os.environ.get("EGRESS_COREDNS_QUERIES", "200000"))


class Load(Process):
    """leak_check under way."""

    def __init__(self, world, port, addresses, queries=0, rate=0, log="load"):
        lines = [f"hijacked {name} {address}" for name, address in addresses.items()]
        lines += [f"other host-{i}.elsewhere.example" for i in range(20)] + ["other *.elsewhere.example"]
        names = world.file(f"{log}.names", "\n".join(lines) + "\n")
        super().__init__([os.environ["EGRESS_LEAK_CHECK"], port, names, queries, rate], f"{world.folder}/{log}.log")

    def counts(self):
        """As of now: {"asked": …, "hijacked": {"right": …, "leaked": …}, "other": {…}}"""
        return eventually("the load has counted", lambda: [json.loads(line) for line in self.output().splitlines()
                                                           if line.startswith("{") and line.endswith("}")])[-1]

    def during(self, what, queries, until=lambda now: True):
        """What so many queries, and those until `until`, were answered with."""
        before = self.counts()

        def enough():
            now = self.counts()
            return now["asked"] >= before["asked"] + queries and until(self.difference(before, now))

        self.wait_for(f"{what}: {queries} queries and what belongs to it", enough, slack(120))
        after = self.counts()
        made = self.difference(before, after)
        rate = (after["asked"] - before["asked"]) / (after["seconds"] - before["seconds"])
        say(f"{what}: {rate:,.0f} queries/s:", self.text(made))
        return made

    @staticmethod
    def difference(before, after):
        return {kind: {key: after[kind][key] - before[kind][key] for key in after[kind]} for kind in ("hijacked", "other")}

    @staticmethod
    def text(counts):
        return "; ".join(f"{kind} " + ", ".join(f"{count:,} {key}" for key, count in counts[kind].items() if count)
                         for kind in ("hijacked", "other"))


class CoreDnsTest(DnsTest):
    def coredns(self, operator, corefile=None, **options):
        return self.world.start(CoreDns, self.world.folder, corefile or corefiles()["."], operator.port,
                                kubeconfig=self.world.api.kubeconfig, **options)


class Faults(CoreDnsTest):
    # Of the last one the upstreams say that there is no such name.
    names = tuple((f"host-{i}", f"host-{i}.hijacked.example") for i in range(60)) + (
        ("wild", "*.wild.example"), ("gone", "gone.hijacked.example"))

    @staticmethod
    def is_well(counts):
        """All answers are right. CoreDNS loses a few queries when it is too slow to empty its socket: clients repeat them."""
        return {key for key, count in counts.items() if count} <= {"right", "lost"} and counts["lost"] * 50 <= counts["right"]

    def recover(self, load, what, queries):
        """Until so many queries in a row are answered rightly: what waits from before has its own end."""
        eventually(f"{what}: all is well again", lambda: all(
            self.is_well(counts) for counts in load.during(what, queries).values()), slack(30), every=0)

    def test_no_fault_makes_a_hijacked_name_lead_to_its_real_address(self):
        operator = self.operator()
        coredns = self.coredns(operator)
        load = self.world.start(Load, self.world, coredns.port, self.addresses, QUERIES)
        share = QUERIES // 8

        def failures():
            return (coredns.metric("coredns_proxy_healthcheck_failures_total"),
                    coredns.metric("coredns_forward_healthcheck_broken_total"))

        for counts in load.during("all is well", share).values():
            self.assertTrue(self.is_well(counts), counts)

        self.world.upstream.pause()
        hijacked = load.during("the upstreams are silent", share,
                               until=lambda _: operator.metric("coredns_forward_healthcheck_failures_total") >= 4)["hijacked"]
        self.world.upstream.resume()
        # So are names of the wildcard that nobody has asked for, though the real name is asked for first.
        self.assertTrue(self.is_well(hijacked), hijacked)
        self.assertEqual(failures(), (0, 0), "CoreDNS thought that the operator is ill")

        operator.kill()
        stale = load.during("the operator is killed", share, until=lambda now: now["hijacked"]["stale"] >= 100)
        self.assertEqual(stale["hijacked"]["leaked"] + stale["hijacked"]["wrong"], 0, stale)
        operator = self.world.start(operator.again)
        self.recover(load, "it is back", share)

        operator.pause()
        load.during("the operator hangs", 0, until=lambda now: now["hijacked"]["stale"] >= 100)
        operator.resume()
        self.recover(load, "it goes on", share)

        # It must not answer what it does not know yet.
        operator.kill()
        self.world.api.pause()
        operator = self.world.start(operator.again, ready=False)
        operator.wait_for("it serves DNS without knowing a name", lambda: "EDE: 14 " in run(
            "dig", "@127.0.0.1", "-p", operator.port, "host-1.hijacked.example", check=False))
        load.during("started without an API server", 0, until=lambda now: now["hijacked"]["stale"] >= 100)
        self.world.api.resume()
        operator.wait_until_ready()
        self.assertEqual(load.stop(slack(300)), 0, load.tail())
        counts = load.counts()
        self.assertEqual(counts["hijacked"]["leaked"] + counts["hijacked"]["wrong"], 0, counts)
        say(f"{counts['asked']:,} queries in {counts['seconds']:.1f} s:", load.text(counts))

    def test_a_second_upstream_leaks(self):
        """What the guide warns of; and a check of what checks the others."""
        operator = self.operator()
        coredns = self.coredns(operator, put(corefiles()["."], "forward . 10.0.0.53 {\n", "forward . 10.0.0.53 "
                               f"127.0.0.1:{self.world.upstream.port} {{\n        policy sequential\n"))
        load = self.world.start(Load, self.world, coredns.port, self.addresses)
        load.during("two upstreams", 2_000)
        operator.kill()
        load.during("the first of two is killed", 0, until=lambda now: now["hijacked"]["leaked"] >= 100)
        self.assertEqual(load.stop(slack(60)), 1)
        self.assertIn("leaked: ", load.output())


class Details(CoreDnsTest):
    names = (("google", "google.com"), ("other", "*.wild.example"))

    def ask(self, coredns, name, kind=dns.A):
        """(rcode, addresses), within what a client waits."""
        return dns.ask(coredns.port, name, kind, timeout=slack(8))

    def wait_for_hijacked(self, coredns, seconds):
        eventually("google.com is hijacked", lambda: self.ask(coredns, "google.com") ==
                   (dns.NOERROR, [self.addresses["google.com"]]), seconds)

    def test_names_of_the_cluster_stay_coredns_s_own(self):
        operator = self.operator()
        coredns = self.coredns(operator)
        address, before = self.addresses["google.com"], operator.metric("coredns_dns_requests_total", type="A")
        self.assertEqual(self.ask(coredns, "google.egress-operator-system.svc.cluster.local"), (dns.NOERROR, [address]))
        self.assertEqual(self.ask(coredns, "nobody.egress-operator-system.svc.cluster.local"), (dns.NXDOMAIN, []))
        self.assertEqual(operator.metric("coredns_dns_requests_total", type="A"), before)

    def test_coredns_s_loop_plugin_is_content_with_upstreams_that_are_silent(self):
        operator = self.operator()
        self.world.upstream.pause()
        coredns = self.coredns(operator, ready="google.com")
        self.assertEqual(self.ask(coredns, "google.com"), (dns.NOERROR, [self.addresses["google.com"]]))
        self.assertEqual(self.ask(coredns, "up.example"), (dns.SERVFAIL, []))
        self.world.upstream.resume()
        eventually("another name is forwarded", lambda: self.ask(coredns, "up.example")[0] == dns.NOERROR, slack(20))
        self.assertTrue(coredns.alive())

    def test_coredns_as_the_operator_s_upstream_is_found_out(self):
        operator = self.operator()
        coredns = self.coredns(operator)
        operator.kill()
        operator.upstream = coredns.port
        operator = self.world.start(operator.again)
        operator.wait_for("the loop is seen", lambda: operator.metric("egress_operator_dns_upstream_looped") == 1)
        self.wait_for_hijacked(coredns, slack(2))
        self.assertEqual(self.ask(coredns, "new.example"), (dns.SERVFAIL, []))
        self.assertTrue(coredns.alive(), coredns.tail())

    def test_a_failure_is_over_when_the_operator_is_back(self):
        """`servfail 0s`: CoreDNS would go on with it for 5 s. It probes every 0.5 s whether the operator is back."""
        operator = self.operator()
        coredns = self.coredns(operator)
        operator.kill()
        self.assertEqual(self.ask(coredns, "google.com"), (dns.SERVFAIL, []))
        self.world.start(operator.again)
        self.wait_for_hijacked(coredns, slack(2))

    def first_answer_after_a_hijack(self, serve_stale):
        """Of a name that CoreDNS had in its cache before, when that is no longer fresh: (it, the right one)"""
        operator = self.operator("--dns-max-ttl", "1s")
        coredns = self.coredns(operator, put(corefiles()["."], "        serve_stale 1h verify\n", serve_stale))
        self.assertTrue(self.ask(coredns, "late.example")[1][0].startswith(REAL_V4))
        self.world.api.create("late", "late.example")
        address = eventually("late has a Service", lambda: self.world.api.cluster_ip("late"))
        operator.wait_hijacked("late.example", address)
        self.wait_for_expiry(coredns)
        return self.ask(coredns, "late.example"), (dns.NOERROR, [address])

    def wait_for_expiry(self, coredns):
        """Of all that is cached now: a name that is cached later is asked for anew, or told stale (TTL 0)."""
        def ttl():
            return int(run("dig", "@127.0.0.1", "-p", coredns.port, "+noall", "+answer", "later.example").split()[1])

        seen = [ttl()]

        def expired():
            seen.append(ttl())
            return seen[-1] == 0 or seen[-1] > seen[-2]

        eventually("what was cached has expired", expired, slack(20), every=0.1)

    def test_stale_answers_that_are_verified_follow_a_hijack_at_once(self):
        for text in ("        serve_stale 1h verify\n", ""):
            with self.subTest(serve_stale=text):
                got, right = self.first_answer_after_a_hijack(text)
                self.assertEqual(got, right)
                self.world.api.request("/apis/egress.monzo.com/v1/externalservices/late", method="DELETE")

    def test_stale_answers_that_are_given_immediately_leak_after_a_hijack(self):
        """Why the guide has `verify`."""
        got, right = self.first_answer_after_a_hijack("        serve_stale 1h immediate\n")
        self.assertEqual((got[0], got[1][0].startswith(REAL_V4)), (dns.NOERROR, True), got)
        self.assertNotEqual(got, right)

    def test_a_name_block_leaves_other_names_alone(self):
        operator = self.operator()
        text = corefiles()["google.com"] + f".:53 {{\n    forward . 127.0.0.1:{self.world.upstream.port}\n}}\n"
        coredns = self.world.start(CoreDns, self.world.folder, text, operator.port)
        before = operator.metric("coredns_dns_requests_total", type="A")
        self.assertEqual(self.ask(coredns, "google.com"), (dns.NOERROR, [self.addresses["google.com"]]))
        self.assertEqual(self.ask(coredns, "google.com", dns.AAAA), (dns.NOERROR, []))
        self.assertTrue(self.ask(coredns, "www.google.com")[1][0].startswith(REAL_V4))
        self.assertTrue(self.ask(coredns, "up.example")[1][0].startswith(REAL_V4))
        self.assertEqual(operator.metric("coredns_dns_requests_total", type="A") - before, 2)


if __name__ == "__main__":
    if not found_program():
        sys.exit(LEFT_OUT)
    unittest.main(verbosity=2)
