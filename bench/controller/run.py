#!/usr/bin/env python3
"""What the controller costs, beside a floor that only sends the same requests, on a real API server and etcd.

Figures are of one machine that runs all of it: the ratio to the floor is what counts.
"""
import argparse
import os
import statistics
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

    def creation(self, count, rounds, floors):
        self.creations[count] = rounds
        for writes in dict.fromkeys(str(one["writes"]) for one in rounds):
            self.line(f"{count:,}: writes", writes, "one create a child, one status")
        self.line(f"{count:,}: CPU for each", f"{spread([one['cpu'] / count * 1e3 for one in rounds])} ms", "1 ms")
        self.line(f"{count:,}: CPU of the floor for the children of one, which it only sends",
                  f"{spread([one['cpu'] / count * 1e3 for one in floors])} ms", "")
        self.line(f"{count:,}: resident, at most and settled", f"{memory(max(one['peak'] for one in rounds))}, {memory(resident(rounds))}",
                  {1000: "25 MiB", 10000: "80 MiB"}.get(count, ""))
        before = max((one for one in self.creations if one < count), default=None)
        if before:
            more = (resident(rounds) - resident(self.creations[before])) / (count - before)
            self.line(f"{count:,}: resident for each more than {before:,}", f"{more / 1024:.1f} KiB", "no more than before")
        self.beside_floor(f"{count:,}: all children after", rounds, floors, "children", "children", "× floor", "1.25")
        self.beside_floor(f"{count:,}: settled after", rounds, floors, "settled", "children", "× floor", "1.5")
        self.beside_floor(f"{count:,}: the same", rounds, floors, "settled", "settled", "× the floor that sends the statuses, too", "")

    def beside_floor(self, what, rounds, floors, ours, its, words, bound):
        ratios = [2 * one[ours] / (before[its] + after[its]) for one, before, after in zip(rounds, floors, floors[1:])]
        self.line(what, f"{spread([one[ours] for one in rounds])} s, {spread(ratios)} {words} ({spread([one[its] for one in floors])} s)", bound)

    def restart(self, count, rounds):
        shown = "; ".join(f"{one['ready']:.2f} s ({1 + one['lists']:.2f})" for one in rounds)
        self.line(f"{count:,}: restarts, ready after", f"{shown}; {spread([one['used'] for one in rounds])} s of CPU", "1 s and the lists alone, in brackets")
        self.line(f"{count:,}: restarts, writes", ", ".join(str(one["writes"]) for one in rounds), "0")
        self.line(f"{count:,}: restarts, resident", rounds[-1]["resident"], "")


def spread(values):
    """The median, and what the others were."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.2f}" if low == high else f"{middle:.2f} ({low:.2f} to {high:.2f})"


def resident(rounds):
    return statistics.median(one["resident"] for one in rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("operator", "floor"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath)
    parser.add_argument("--sizes", default="100,1000,5000,10000", help="numbers of ExternalServices, with commas")
    parser.add_argument("--rounds", type=int, default=0, help="of each size; 0: nine of 100, three of 1,000, one of more")
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
