"""A thousand ExternalServices in place, and what happens to some of them."""
import json
import queue
import statistics
import threading
import time

import changes
from lab import KINDS, Lab, eventually, external_service, memory, objects, percentile, times

SAMPLES = 100
ROUNDS = 5  # of so many samples of each kind: the p99 of one is its second worst, and tells what else the server did
READY_SAMPLES = 400  # four beyond the p99, where one that a collection of the server's garbage meets says nothing
DNS_NAME = "egress.monzo.com/dns-name"
HIJACK = "egress.monzo.com/hijack-dns"


def measure(options, count, tell):
    lab = Lab(options, count)
    try:
        lab.create_external_services()
        priority(lab, tell)
        operator = lab.start(name="steady", wait=True)
        lab.wait_until_settled(operator)
        idle(lab, operator, tell)
        drifts(lab, operator, tell)
        readiness(lab, operator, tell)
        changes.measure(lab, operator, tell)
        operator.stop()
        floor_of_readiness(lab, tell)
        changes.measure_floor(lab, tell)
        if options.hours:
            many_hours(lab, tell, options.hours)
    finally:
        lab.stop()


def priority(lab, tell):
    """A person's change while all others are still to be made."""
    operator = lab.start(name="backlog")
    eventually("the backlog is begun", lambda: lab.api.find(objects.child("service", f"es-{lab.count // 100}"))
               or lab.writes(), 60, every=0.005)
    waiting = operator.metric("workqueue_depth")
    began = time.monotonic()
    lab.api.create(objects.EXTERNAL_SERVICES, objects.external_service("urgent", "urgent.example.com"))
    eventually("it has its children", lambda: all(lab.api.find(objects.child(kind, "urgent")) for kind in KINDS), 60, every=0.005)
    tell.line(f"a new one in a backlog of {waiting:.0f}", f"{(time.monotonic() - began) * 1000:.0f} ms", "500 ms")
    lab.wait_until_settled(operator)
    lab.api.delete(objects.path("urgent"))
    for kind in KINDS:
        lab.api.delete(objects.child(kind, "urgent"))
    operator.stop()


class Events:
    """The watch of a kind: (when it came, name, the object's version)."""

    def __init__(self, api, at):
        version = api.get(at + "?limit=1")["metadata"]["resourceVersion"]
        self.came = queue.Queue()
        self._answer = api.open(f"{at}?watch=true&resourceVersion={version}")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for line in self._answer:
                now, event = time.monotonic(), json.loads(line)
                if event["type"] == "MODIFIED":
                    self.came.put((now, event["object"]))
        except (OSError, ValueError, AttributeError):
            pass

    def close(self):
        """One that nobody looks at costs the server, and Python, each event."""
        self._answer.end()

    def forget(self):
        """What has come so far."""
        while not self.came.empty():
            self.came.get()

    def next_of(self, name):
        while True:
            when, changed = self.came.get(timeout=30)
            if changed["metadata"]["name"] == name:
                return when, changed["metadata"]


def drifts(lab, operator, tell):
    """The kinds in turn, some rounds; figures are the rounds' medians."""
    events = {kind: Events(lab.api, objects.CHILDREN[kind]) for kind in KINDS}
    rounds = [{kind: drift(lab, operator, kind, events[kind], number) for kind in KINDS} for number in range(ROUNDS)]
    for one in events.values():
        one.close()
    for kind in KINDS:
        of_kind = [one[kind] for one in rounds]
        repairs, trips = middle(one["repairs"] for one in of_kind), middle(one["trips"] for one in of_kind)
        tell.line(f"drift of a {kind} mended, p50, p99", repairs, f"3.5, 8 ms; a bare PATCH took {trips}")
        tell.line(f"accepted writes of {SAMPLES} repairs of a {kind}", ", ".join(str(one["written"]) for one in of_kind), f"{SAMPLES}")


def middle(rounds):
    """The medians of their p50s and p99s, and what those were."""
    def of(share):
        all_of_them = sorted(percentile(took, share) * 1e3 for took in took_in)
        return f"{statistics.median(all_of_them):.1f} ({all_of_them[0]:.1f} to {all_of_them[-1]:.1f})"

    took_in = list(rounds)
    return f"{of(.5)}, {of(.99)} ms"


def drift(lab, operator, kind, events, number):
    """Of other names in each round: who is mended twice within a minute is told of by an Event."""
    lab.rest()
    events.forget()
    lab.audit.mark()
    repairs, trips = [], []
    for i in range(SAMPLES):
        name = f"es-{(number * SAMPLES + i) * 7 % lab.count}"
        sent = time.monotonic()
        lab.api.patch(objects.child(kind, name), {"metadata": {"annotations": {DNS_NAME: "drifted"}}})
        trips.append(time.monotonic() - sent)
        drifted, _ = events.next_of(name)
        while True:
            mended, meta = events.next_of(name)
            if meta["annotations"].get(DNS_NAME) != "drifted":
                break
        repairs.append(mended - drifted)
    # The last repair may be seen before its line in the audit log, and a needless one may come after it.
    lab.wait_until_settled(operator)
    written = len([one for one in lab.audit.writes() if one["objectRef"]["name"].startswith("es-")])
    return {"repairs": repairs, "trips": trips, "written": written}


def readiness(lab, operator, tell):
    """From the event that says the first pod is ready to the hijacked answer."""
    events = Events(lab.api, objects.CHILDREN["deployment"])
    took = []
    for i in range(min(READY_SAMPLES, lab.count)):
        name, host = f"es-{i}", external_service(i)["spec"]["dnsName"]
        address = lab.api.get(objects.child("service", name))["spec"]["clusterIP"]
        ready_pods(lab, name, 1)
        came, _ = events.next_of(name)
        eventually("it is hijacked", lambda host=host, address=address: operator.ask(host, timeout=1) == (0, [address]), 10, every=0.0005)
        took.append(time.monotonic() - came)
    events.close()
    tell.line("a pod is ready until the name is hijacked, p50, p99", times(took), "p99 20 ms")


def floor_of_readiness(lab, tell):
    """What of that is the server's: the event is answered by a PATCH of a Service's label, whose own event ends it."""
    pods, labels = Events(lab.api, objects.CHILDREN["deployment"]), Events(lab.api, objects.CHILDREN["service"])
    took = []
    for i in range(min(READY_SAMPLES, lab.count)):
        name = f"es-{i}"
        ready_pods(lab, name, 2)
        came, _ = pods.next_of(name)
        lab.api.patch(objects.child("service", name), {"metadata": {"labels": {HIJACK: "false"}}})
        labelled, _ = labels.next_of(name)
        took.append(labelled - came)
    pods.close()
    labels.close()
    tell.line("the same without an operator, to the label's event, p50, p99", times(took), "")


def ready_pods(lab, name, count):
    at = objects.child("deployment", name)
    generation = lab.api.get(at)["metadata"]["generation"]
    lab.api.patch(at + "/status", {"status": {"observedGeneration": generation, "replicas": count, "updatedReplicas": count,
                                              "readyReplicas": count, "availableReplicas": count}})


def idle(lab, operator, tell, seconds=120):
    lab.audit.mark()
    before = operator.cpu()
    time.sleep(seconds)
    used = operator.cpu() - before
    asked = [one for one in lab.audit.entries() if one["verb"] not in ("watch",)]
    tell.line(f"idle for {seconds} s, of a core", f"{used / seconds * 100:.3f} %", "0.05 %")
    tell.line("its requests but watches", f"{lab.audit.summary(asked)}", "none")


def many_hours(lab, tell, hours):
    """What so many hours have of all that comes again and again, in a thirtieth of the time.

    Watches of 10 to 20 s in place of 5 to 10 min, and a scrape, a probe and a query every half second in place of 15 s.
    """
    operator = lab.start("--kube-watch-timeout=10s", name="hours", wait=True)
    lab.wait_until_settled(operator)
    lab.audit.mark()
    began, sizes, answered = time.monotonic(), [], 0
    for tick in range(max(3, int(hours * 3600 / 15))):
        operator.page("/metrics")
        operator.page("/readyz")
        # Of those that readiness() has hijacked.
        answered += operator.ask(external_service(tick % SAMPLES)["spec"]["dnsName"])[1] != []
        sizes.append(operator.resident())
        time.sleep(max(0.0, began + (tick + 1) / 2 - time.monotonic()))
    seconds = time.monotonic() - began
    watches = len([one for one in lab.audit.entries() if one["verb"] == "watch" and one["stage"] == "ResponseComplete"])
    third = len(sizes) // 3
    first, last = max(sizes[third:2 * third]), max(sizes[2 * third:])
    tell.line(f"resident over {hours:g} h in {seconds:.0f} s ({watches:,} watches, {len(sizes):,} scrapes, probes and queries, {answered:,} answered)",
              f"{memory(first)}, then {memory(last)}", "within 1 %")
