#!/usr/bin/env python3
"""The connect time-out: what clients, logs and statistics see of a host that never answers, and of one that falls silent."""
import collections
import concurrent.futures
import json
import re
import time

from harness import cases, suite
from harness.cases import TrafficTest, eventually, peers, world
from harness.rendering import COMPATIBLE, HARDENED

ATTEMPT, ATTEMPTS = 5, 3  # hardened, as documented
OLD_ATTEMPT = 1           # compatible, which tries once
EARLY, LATE = 0.1, 2.5    # of clocks that are read in two processes; of a busy machine, all attempts together
AT_ONCE = 2               # the same, for what waits for no time-out
FOUND_OUT = 25            # two bad checks
PATIENCE, TOGETHER = 30, 80
FAILED = "UF,URX"


class Connect(TrafficTest):
    def host(self, name, *addresses):
        self.resolver.set(f"{name}.example.com", *addresses)

    def reached(self, gateway):
        """(the address that a new connection ends at, or CLOSED; after how many seconds)"""
        begun = time.monotonic()
        end = peers.who(gateway.address, 443, seconds=PATIENCE)
        return end, time.monotonic() - begun

    def at_the_same_time(self, *gateways):
        with concurrent.futures.ThreadPoolExecutor(len(gateways)) as pool:
            return list(pool.map(self.reached, gateways))

    def assert_took(self, seconds, expected):
        self.assertGreater(seconds, expected - EARLY)
        self.assertLess(seconds, expected + LATE)

    def lines(self, gateway):
        return [json.loads(line) for line in gateway.output().splitlines() if line.startswith("{") and '"bytes_sent"' in line]

    def line(self, gateway):
        """The only one of the access log."""
        gateway.wait_for("it is logged", lambda: self.lines(gateway), 10)
        self.assertEqual(len(self.lines(gateway)), 1)
        return self.lines(gateway)[0]

    def stat(self, gateway, name):
        return sum(value for key, value in gateway.stats().items() if key.startswith(f"envoy_cluster_{name}{{") and "_TCP_443" in key)

    def test_a_host_that_never_answers(self):
        """Three attempts of five seconds (`compatible`: one, of one second), then the client is told."""
        for name in ("mute", "mutetext", "muteold"):
            self.host(name, world.SILENT)
        new = self.gateway("mute", [443], envoyJsonClusterAccessLogs=True)
        text = self.gateway("mutetext", [443])
        old = self.gateway("muteold", [443], profile=COMPATIBLE, envoyJsonClusterAccessLogs=True)
        seen = self.at_the_same_time(new, text, old)
        self.assertEqual({end for end, _ in seen}, {peers.CLOSED})
        suite.figure("a host that never answers: closed after", [f"{took:.2f} s" for _, took in seen])
        for (_, took), expected in zip(seen, (ATTEMPTS * ATTEMPT, ATTEMPTS * ATTEMPT, OLD_ATTEMPT)):
            self.assert_took(took, expected)
        for gateway, attempts, milliseconds in ((new, ATTEMPTS, ATTEMPTS * ATTEMPT * 1000), (old, 1, OLD_ATTEMPT * 1000)):
            line = self.line(gateway)
            self.assertEqual(line["response_flags"], FAILED)
            self.assertGreaterEqual(int(line["duration"]), milliseconds - EARLY * 1000)
            self.assertEqual(self.stat(gateway, "upstream_cx_connect_timeout"), attempts)
            self.assertEqual(self.stat(gateway, "upstream_cx_connect_attempts_exceeded"), 1)
        text.wait_for("it is logged as text", lambda: re.search(rf'^\[[^]]+Z\] 0 0 1[45]\d\d\d {FAILED} "', text.output(), re.MULTILINE))

    def test_one_of_the_addresses_of_a_name_is_silent(self):
        """The next is tried beside it: nobody waits for the time-out."""
        self.host("halfmute", world.SILENT, world.public(130))
        peers.Tcp(world.public(130), 443)
        for profile in (HARDENED, COMPATIBLE):
            gateway = self.gateway("halfmute", [443], profile=profile)
            for _ in range(5):
                end, took = self.reached(gateway)
                self.assertEqual(end, world.public(130))
                self.assertLess(took, AT_ONCE)
            self.assertEqual(self.stat(gateway, "upstream_cx_connect_timeout"), 0)

    def healthy(self, gateway):
        return self.stat_of_override(gateway, "membership_healthy")

    def stat_of_override(self, gateway, name):
        return sum(value for key, value in gateway.stats().items() if key.startswith(f"envoy_cluster_{name}{{") and "-override" in key)

    def test_an_override_falls_silent(self):
        """Until its checks say so a connection to it takes five seconds longer, and ends at the other override; in `compatible`
        it is closed. Then nobody waits. Never is DNS used."""
        silent, living, dns = world.come(10), world.public(131), world.public(132)
        peers.Tcp(silent, 443), peers.Tcp(living, 443)
        stranger = peers.Tcp(dns, 443)
        for name in ("oneoftwo", "oneoftwoold"):
            self.host(name, dns)
        new = self.gateway("oneoftwo", [443], ipOverride=[silent, living])
        old = self.gateway("oneoftwoold", [443], profile=COMPATIBLE, ipOverride=[silent, living])
        for gateway in (new, old):
            eventually("both carry", lambda gateway=gateway: {self.reached(gateway)[0] for _ in range(6)} == {silent, living})
        stranger.peers.clear()
        world.go(silent)
        self.one_waits_and_arrives(new, living)
        self.one_is_closed(old, living)
        self.assertEqual(self.healthy(new), 2, "this was before the checks had said so")
        self.together_most_arrive(new, living)
        eventually("the checks have found out", lambda: self.healthy(new) == 1, FOUND_OUT)
        seen = [self.reached(new) for _ in range(20)]
        self.assertEqual({end for end, _ in seen}, {living})
        self.assertLess(max(took for _, took in seen), AT_ONCE)
        self.assertEqual(stranger.peers, [], "nothing went to the address that DNS says")

    def together_most_arrive(self, gateway, living):
        """Attempts go round the addresses, and connections begun together go one round: some meet the silent one each time."""
        seen = collections.Counter(end for end, _ in self.at_the_same_time(*[gateway] * TOGETHER))
        suite.figure(f"an override falls silent: of {TOGETHER} connections begun together", dict(seen))
        self.assertEqual(set(seen) - {peers.CLOSED}, {living})
        self.assertGreater(seen[living], TOGETHER * 2 // 3)

    def one_waits_and_arrives(self, gateway, living):
        seen = collections.Counter()
        while not seen["late"]:
            self.assertLess(seen["at once"], 100)
            end, took = self.reached(gateway)
            self.assertEqual(end, living)
            seen["late" if took > AT_ONCE else "at once"] += 1
        self.assert_took(took, ATTEMPT)

    def one_is_closed(self, gateway, living):
        end, took = living, 0
        while end == living:
            self.assertLess(took, OLD_ATTEMPT)
            end, took = self.reached(gateway)
        self.assertEqual(end, peers.CLOSED)
        self.assert_took(took, OLD_ATTEMPT)


if __name__ == "__main__":
    cases.main()
