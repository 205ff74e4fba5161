#!/usr/bin/env python3
"""What the controller costs, beside a floor that only sends the same requests, on a real API server and etcd.

Figures are of one machine that runs all of it: the ratio to the floor is what counts.
"""
import argparse
import os
import warnings

import scale
import steady
from lab import memory

warnings.simplefilter("ignore", ResourceWarning)


class Tell:
    """Prints lines of tables as they come."""

    def __init__(self):
        self.creations = {}

    @staticmethod
    def line(what, figure, bound):
        print(f"| {what} | {figure} | {bound} |", flush=True)

    def creation(self, count, made):
        self.creations[count] = made
        self.line(f"{count:,}: writes", made["writes"], "one create a child, one status")
        self.line(f"{count:,}: CPU for each", f"{made['cpu'] / count * 1e3:.2f} ms", "1 ms")
        self.line(f"{count:,}: resident, at most and settled", f"{memory(made['peak'])}, {memory(made['resident'])}",
                  {1000: "25 MiB", 10000: "80 MiB"}.get(count, ""))
        before = max((one for one in self.creations if one < count), default=None)
        if before:
            more = (made["resident"] - self.creations[before]["resident"]) / (count - before)
            self.line(f"{count:,}: resident for each more than {before:,}", f"{more / 1024:.1f} KiB", "no more than before")

    def restart(self, title, figures):
        self.line(f"{title}, ready after", f"{figures['ready']:.2f} s, {figures['used']:.2f} s of CPU",
                  f"1 s + {figures['lists']:.2f} s (lists alone)")
        self.line(f"{title}, writes", figures["writes"], "0")
        self.line(f"{title}, resident", figures["resident"], "")

    def floor(self, count, *runs):
        """Of each run: its seconds and its CPU seconds for the children, and its seconds for the statuses."""
        seconds, cpu, statuses = zip(*runs)
        made, floor = self.creations[count], sum(seconds) / len(seconds)
        self.line(f"{count:,}: CPU of the floor for the children of one, which it only sends",
                  " and ".join(f"{one / count * 1e3:.2f}" for one in cpu) + " ms", "")
        shown = " and ".join(f"{one:.2f}" for one in seconds)
        self.line(f"{count:,}: all children after", f"{made['children']:.2f} s, {made['children'] / floor:.2f} × floor ({shown} s)", "1.25")
        whole = floor + sum(statuses) / len(statuses)
        shown = " and ".join(f"{one:.2f}" for one in statuses)
        self.line(f"{count:,}: settled after", f"{made['settled']:.2f} s, {made['settled'] / floor:.2f} × floor; {made['settled'] / whole:.2f} × "
                  f"the floor that sends the statuses, too ({shown} s)", "1.5")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("operator", "floor"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath)
    parser.add_argument("--sizes", default="100,1000,5000,10000", help="numbers of ExternalServices, with commas")
    parser.add_argument("--steady", type=int, default=1000, help="ExternalServices in place for what happens to some; 0 leaves it out")
    parser.add_argument("--hours", type=float, default=1, help="as much as so many hours have of what comes again and again; 0 leaves it out")
    options = parser.parse_args()
    tell = Tell()
    print("| what | figure | bound |\n| --- | --- | --- |", flush=True)
    for count in (int(one) for one in options.sizes.split(",") if one):
        scale.measure(options, count, tell)
    if options.steady:
        steady.measure(options, options.steady, tell)


if __name__ == "__main__":
    main()
