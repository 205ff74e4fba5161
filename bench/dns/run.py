#!/usr/bin/env python3
"""What a DNS query costs, here and elsewhere, as a ratio to a floor that is measured beside it.

Each server has CPU 0 to itself, the generator CPU 1. A round measures all servers of a table one after the other, so
that what the machine does meanwhile meets them all; a figure is the median of the rounds' own ratios. The figure to
trust is CPU time a query, of its threads' schedstat.
"""
import argparse
import os
import statistics
import tempfile

import drain
import generators
import servers

FIXED_RATES = 20_000, 50_000  # a second: fewer than any of them can answer
MOST_LOST = 0.01  # of the queries at the fixed rate: who loses more has had less to do than the others
# Fewer than one batch of ours (64): its queue cannot stand then ("Overload" in docs/operations.md), however long the
# machine takes the CPU away, and nothing is REFUSED that is to be forwarded.
FORWARDED_AT_ONCE = 48


class Contest:
    """One load on several servers. The first is the floor."""

    def __init__(self, options, title, contenders, load, names=10_000):
        self.options, self.title, self.load, self.names = options, title, load, names
        self.contenders = contenders
        self.at_fixed_rate = load[-1] in FIXED_RATES
        self.rounds = {one.name: [] for one in contenders}

    def measure(self, server, load):
        counted = server.counted()
        before = server.cpu_seconds()  # after the count: asking for it costs the server something, too
        said = self.generate(server.port, *load)
        used = server.cpu_seconds() - before
        if said["other_codes"] or said["without_answer"]:
            raise SystemExit(f"bench-dns: {server.name} gave wrong answers: {said}")
        if counted is not None:
            theirs = server.counted() - counted
            if not said["answered"] <= theirs <= said["sent"]:
                raise SystemExit(f"bench-dns: {server.name} counted {theirs:.0f} queries: {said}")
        said["cpu_us"] = used * 1e6 / max(1, said["answered"])
        return said

    def generate(self, port, tool, *how):
        if tool == "dnsperf":
            return generators.dnsperf(port, self.names, self.options.seconds, *how)
        return generators.load(self.options.load, port, self.names, self.options.seconds, tool, *how)

    def fill_caches(self, server):
        """The load asks for all names before it asks for one again. A slow machine needs some runs for that."""
        for _ in range(5):
            if self.measure(server, ("udp", FORWARDED_AT_ONCE, 0))["answered"] >= self.names:
                return

    def run(self):
        running = []
        try:
            with tempfile.TemporaryDirectory(prefix="bench-dns-") as work:
                for one in self.contenders:
                    running.append(one(work))
                for server in running:
                    self.fill_caches(server)
                for _ in range(self.options.rounds):
                    for server in running:
                        self.rounds[server.name].append(self.measure(server, self.load))
                self.resident = {one.name: one.resident() for one in running}
                for one in running:
                    one.stop()
                running.clear()
        finally:
            for one in running:
                one.stop()
        return self.tell()

    def tell(self):
        print(f"\n{self.title}\n")
        print("| server | CPU a query, × floor | (spread) | CPU µs | queries/s | p50 µs | p99 µs | MiB |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        floor = self.rounds[self.contenders[0].name]
        ratios = {}
        for one in self.contenders:
            mine = self.rounds[one.name]
            parts = sorted(a["cpu_us"] / b["cpu_us"] for a, b in zip(mine, floor))
            middle = {key: statistics.median(m[key] for m in mine) for key in ("cpu_us", "qps", "p50_us", "p99_us")
                      if mine[0][key] is not None}
            p50, p99 = (f"{middle[key]:.0f}" if key in middle else "" for key in ("p50_us", "p99_us"))
            ratios[one.name] = statistics.median(parts)
            print(f"| {one.name} | {ratios[one.name]:.2f} | {parts[0]:.2f}–{parts[-1]:.2f} | {middle['cpu_us']:.2f} | "
                  f"{middle['qps']:,.0f} | {p50} | {p99} | "
                  f"{self.resident[one.name] / 2**20:.0f} |", flush=True)
        self.tell_lost()
        return ratios

    def tell_lost(self):
        too_many = []
        for name, mine in self.rounds.items():
            lost, sent = (sum(one[key] for one in mine) for key in ("lost", "sent"))
            if lost:
                print(f"\n{name} lost {lost:,} of {sent:,} queries", flush=True)
            if self.at_fixed_rate and lost > MOST_LOST * sent:
                too_many.append(name)
        if too_many:
            raise SystemExit(f"bench-dns: {', '.join(too_many)} lost more than {MOST_LOST:.0%} at a fixed rate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("operator", "floor", "load", "drain", "make-table"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath)
    parser.add_argument("--coredns", default="")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", default="", help="the beginnings of tables' titles, with semicolons between them")
    options = parser.parse_args()
    floor = servers.floor(options.floor)

    def ours(names, **more):
        return servers.ours(options.operator, options.make_table, names, **more)

    def peers(*some):
        """(path of the program, server) of which those that are installed take part."""
        return [made for path, made in some if servers.there(path)]

    with tempfile.TemporaryDirectory(prefix="bench-dns-upstream-") as work:
        upstream = floor(work, cpu=1)
        try:
            local = peers(("/usr/sbin/nsd", servers.nsd(10_000)), ("/usr/sbin/unbound", servers.unbound(10_000)),
                          ("/usr/sbin/knotd", servers.knot(10_000)),
                          (options.coredns, servers.coredns(options.coredns, 10_000)))
            cached = peers(("/usr/bin/dnsdist", servers.dnsdist(upstream.port)),
                           ("/usr/sbin/unbound", servers.unbound(0, upstream.port)),
                           (options.coredns, servers.coredns(options.coredns, 0, upstream.port)))
            # As deployed: it must learn, and say, which of the host's addresses a query was sent to.
            everywhere = ours(10_000, host="", label="egress-operator, all addresses")
            through = {"upstream": upstream.port}
            uncached = [ours(0, flags=("--dns-cache-size", "0"), **through)] + peers(
                (options.coredns, servers.coredns(options.coredns, 0, upstream.port, False)))
            contests = [
                ("hijacked, UDP, 10,000 names", [floor, ours(10_000), *local], ("udp", 256, 0), 10_000),
                *((f"hijacked, UDP, 10,000 names, {rate:,} queries a second", [floor, ours(10_000), everywhere, *local],
                   ("udp", 256, rate), 10_000) for rate in FIXED_RATES),
                ("hijacked, UDP, 100 names", [floor, ours(100)], ("udp", 256, 0), 100),
                ("hijacked, UDP, 100,000 names", [floor, ours(100_000)], ("udp", 256, 0), 100_000),
                ("hijacked, TCP, 8 connections with 100 in flight", [floor, ours(10_000), *local], ("dnsperf", "tcp", 800), 10_000),
                ("hijacked, TCP, the same by a client that batches", [floor, ours(10_000), *local], ("tcp", 800, 0), 10_000),
                ("hijacked, UDP, one at a time", [floor, ours(10_000)], ("udp", 1, 0), 10_000),
                ("cached, UDP, 10,000 names", [floor, ours(0, **through), *cached], ("udp", 256, 0), 10_000),
                *((f"cached, UDP, 10,000 names, {rate:,} queries a second", [floor, ours(0, **through), *cached],
                   ("udp", 256, rate), 10_000) for rate in FIXED_RATES),
                (f"forwarded, UDP, not cached, {FORWARDED_AT_ONCE} at once", [floor, *uncached],
                 ("udp", FORWARDED_AT_ONCE, 0), 10_000),
            ]
            for title, contenders, load, names in contests:
                if not options.only or title.startswith(tuple(options.only.split(";"))):
                    Contest(options, title, contenders, load, names).run()
            if not options.only or "two workers".startswith(tuple(options.only.split(";"))):
                drain.run(options.drain, lambda workers: ours(drain.NAMES, workers=workers), floor, options.rounds)
        finally:
            upstream.stop()


if __name__ == "__main__":
    main()
