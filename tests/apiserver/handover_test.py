#!/usr/bin/env python3
"""A hundred hand-overs between three replicas under load, at random points: one writer after the other, always."""
import datetime
import itertools
import os
import random
import signal
import threading
import time

from harness.lease import LeaseLog, Write
from harness.proxy import Proxy
from harness.suite import ClusterTest, eventually, figure, main, objects, slack

COUNT = int(os.environ.get("EGRESS_HANDOVERS", "100"))
SEED = int(os.environ.get("EGRESS_SEED") or random.SystemRandom().randrange(1 << 32))
FAULTS = (os.environ.get("EGRESS_FAULTS") or "stopped killed paused cut_off unheard deaf unreachable").split()
LEASE_SECONDS = 3
RETRY = 0.2 * 2.2  # of a candidate, with all its jitter
NAMES = [f"es-{i}" for i in range(4)]
CONNECTIONS = 16  # of a replica for its writes: --max-concurrent-reconciles
ARRIVING = 3      # seconds in which all has arrived that a network held up


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class HeldUp:
    """A fault of one process that may hold up this many of its writes, from when on, and until when they have come."""

    def __init__(self, identity, most):
        self.identity, self.left, self.began, self.ended = identity, most, now(), None

    def heal(self):
        self.ended = now() + datetime.timedelta(seconds=slack(ARRIVING))

    def explains(self, write):
        if write.author != self.identity or not self.left or write.came < self.began:
            return False
        if self.ended and write.came > self.ended:
            return False
        self.left -= 1
        return True


class Replica:
    """With a way to the API server of its own."""

    def __init__(self, test):
        self.test, self.way = test, Proxy(test.cluster.port)
        self.start()

    def start(self):
        self.operator = self.test.operator(
            "--enable-leader-election", f"--leader-elect-lease-duration={LEASE_SECONDS}s",
            name=f"replica-{next(self.test.number)}", api_port=self.way.port)
        self.identity = None

    # What can befall it, and how it is well again.
    def stopped(self):
        self.operator.signal(signal.SIGTERM)

    def killed(self):
        self.operator.kill()

    def paused(self):
        self.operator.pause()

    def cut_off(self):
        self.way.cut()

    def unheard(self):
        self.way.hold("there")

    def deaf(self):
        self.way.hold("back")

    def unreachable(self):
        self.way.hold()

    def heal(self, fault):
        if fault in ("stopped", "killed"):
            self.operator.stop()
            self.test.operators.remove(self.operator)
            self.start()
        elif fault == "paused":
            self.operator.resume()
        elif fault == "cut_off":
            self.way.mend()
        else:
            self.way.release()


class HandOvers(ClusterTest):
    cluster_arguments = {"deploy": "deploy/overlays/leader-election", "controllers": ()}
    number = itertools.count()

    def damage_all_the_time(self):
        """So that a leader has something to write whenever it is struck."""
        while not self.enough.is_set():
            try:
                self.api.patch(objects.child("configmap", self.random_name()), {"metadata": {"annotations": None}})
            except (OSError, AssertionError):
                pass
            self.enough.wait(0.01)

    def random_name(self):
        return NAMES[random.randrange(len(NAMES))]

    def leader(self):
        """The replica whose identity the Lease has."""
        for one in self.replicas:
            if one.identity is None:
                told = one.operator.log_lines(msg="leader now")
                one.identity = told[0]["identity"] if told else None
            if one.identity and one.identity == self.log.holder:
                return one
        raise LookupError(f"nobody is {self.log.holder!r}")

    def wait_until_it_writes(self, identity):
        """And checks all that was written until then."""
        def wrote():
            made = [Write.of(one) for one in self.cluster.audit.take_writes()]
            self.check(made)
            self.writes += len(made)
            return any(one.author == identity for one in made)

        eventually(f"{identity} writes", wrote, slack(20), every=0.05)

    def check(self, writes):
        """Only what the network held up, or a pause between the last look at the clock and the system call (at most
        one write a pause), may come after the term of its author, and then (by its resourceVersion) only to objects
        that the next leader has not written."""
        self.recent = self.recent[-200:] + writes
        for one, ended in self.log.outside_their_term(writes):
            between = [other for other in self.recent if other.about == one.about and other.author != one.author
                       and ended <= other.came <= one.came]
            if between or not self.was_held_up(one):
                self.outside.append(one)
                figure("outside its author's term", self.story_of(one, ended, between))
            else:
                self.late.append(one)

    def was_held_up(self, one):
        return any(fault.explains(one) for fault in self.held_up)

    def story_of(self, one, ended, between):
        """What a reader needs to see whose fault it is."""
        befell = [f"{fault} at {when:%T.%f}" for who, fault, when in self.befell if who == one.author]
        known = [f"{who} from {taken}" for who, taken in self.log.terms[-4:]]
        return (f"{one.author} wrote {one.about} from {one.came:%T.%f} to {one.done:%T.%f}; its term ended "
                f"{ended:%T.%f}; what befell it: {befell or 'nothing'}; the last terms: {known}; written by others "
                f"between: {[(other.author, f'{other.came:%T.%f}') for other in between]}")

    def test_one_writer_after_the_other(self):
        figure("seed (EGRESS_SEED=… repeats it)", SEED)
        choice = random.Random(SEED)
        self.log = LeaseLog(self.api)
        for name in NAMES:
            self.create(name)
        self.replicas = [Replica(self) for _ in range(3)]
        for one in self.replicas:
            self.addCleanup(one.way.close)
        self.enough = threading.Event()
        self.addCleanup(self.enough.set)
        threading.Thread(target=self.damage_all_the_time, daemon=True).start()
        self.held_up, self.outside, self.late, self.recent, self.writes = [], [], [], [], 0
        self.befell, self.took = [], {}
        made = lost = 0
        while made < COUNT:
            if self.strikes_the_leader(choice):
                made += 1
            else:
                lost += 1
                self.assertLess(lost, COUNT / 10 + 2, "leaders that lost the Lease by themselves")
        self.tell(lost)

    def strikes_the_leader(self, choice):
        """And waits for the next; False when the Lease was lost before anything was done."""
        struck = eventually("a replica leads", self.leader, slack(30))
        self.wait_until_it_writes(struck.identity)
        fault = choice.choice(FAULTS)
        time.sleep(choice.random() * 0.5)
        before, began = self.log.holder, time.monotonic()
        if before != struck.identity:
            return False
        holds_up = HeldUp(before, {"unheard": CONNECTIONS, "unreachable": CONNECTIONS, "paused": 1}.get(fault, 0))
        self.held_up.append(holds_up)
        self.befell.append((before, fault, now()))
        getattr(struck, fault)()
        after = self.log.wait_for_another(before, slack(30))
        self.took.setdefault(fault, []).append(time.monotonic() - began)
        self.assertTrue(after, f"nobody follows a leader that was {fault}")
        struck.heal(fault)
        holds_up.heal()
        return True

    def tell(self, lost):
        took = self.took
        self.wait_until_it_writes(eventually("a replica leads", self.leader, slack(30)).identity)
        self.enough.set()
        for fault, times in sorted(took.items()):
            figure(f"hand-over, the leader {fault}, {len(times)} times",
                   f"mean {sum(times) / len(times):.2f} s, longest {max(times):.2f} s")
        figure("hand-overs, and leaders that lost the Lease by themselves", f"{sum(map(len, took.values()))}, {lost}")
        figure("accepted writes", self.writes)
        figure("that came late, to objects which the next leader had not written", len(self.late))
        figure("of two leaders at once", len(self.outside))
        self.assertEqual(self.outside, [])
        for fault, times in took.items():
            # A machine that is slow makes no Lease longer.
            self.assertLess(max(times), slack(1) if fault == "stopped" else LEASE_SECONDS + RETRY + slack(1), fault)
        # Whoever was struck is well, and one of them leads.
        eventually("a replica leads", self.leader, slack(30))
        for one in self.replicas:
            self.assertTrue(one.operator.is_ready())


if __name__ == "__main__":
    main()
