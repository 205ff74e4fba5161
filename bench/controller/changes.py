"""Edits at a fixed rate, and when what follows from them is written.

Sent by the floor's program, which notes when; what would send and time them in Python takes half a core from the server.
An operator's write ends with the line of the audit log, a write of the floor with its answer, some tenths of a
millisecond later.
"""
from lab import instant, objects, times

RATE, SECONDS, SECONDS_ALONE = 100, 60, 20
LEAST = 20  # of the replicas, which every edit counts up from there


def edits(lab, number, seconds):
    """Of the replicas of one ExternalService after the other: (its name, the most).

    Each is three writes: the edit, the HPA's, and the status. (One of dnsName is seven, and a hundred of those a second
    are more than the floor's.)
    """
    return [(f"es-{i % lab.count}", number + i // lab.count) for i in range(RATE * seconds)]


def edit(name, most):
    return objects.path(name), {"spec": {"maxReplicas": most}}


def measure(lab, operator, tell):
    lab.rest()
    lab.audit.mark()
    made = edits(lab, LEAST, SECONDS)
    sent, late = lab.patch_at_rate([[edit(*one)] for one in made], RATE)
    lab.wait_until_settled(operator)
    written = times_written(lab, [name for name, _ in made], sent)
    tell.line(f"{RATE} changes a second for {SECONDS} s: done",
              f"{len(written)} of {len(made)}, queue {operator.metric('workqueue_depth'):.0f} (begun at most {late * 1e3:.0f} ms late)",
              "all, 0")
    tell_times(tell, "from the change's request to the HPA's write", written, "p99 100 ms")


def measure_floor(lab, tell):
    """The same writes without an operator: whoever edits sends the other two as well, one after the other."""
    lab.rest()
    made = edits(lab, 10 * LEAST, SECONDS_ALONE)
    sent, late = lab.patch_at_rate(
        [[edit(name, most), (objects.child("hpa", name), {"spec": {"maxReplicas": most}}),
          (objects.path(name) + "/status", {"status": {"observedGeneration": most}})] for name, most in made], RATE)
    tell_times(tell, f"the same writes without an operator (begun at most {late * 1e3:.0f} ms late)",
               [one[:3] for one in sent], "")


def times_written(lab, names, sent):
    """Of each edit: when it was begun, answered, and when its HPA's write was done. Of two edits before one write, that
    is of both."""
    waiting, made = {}, []
    happened = [(began, name, (began, answered)) for name, (began, answered) in zip(names, sent)]
    happened += [(instant(one["stageTimestamp"]).timestamp(), one["objectRef"]["name"], None)
                 for one in lab.audit.writes("horizontalpodautoscalers")]
    for when, name, edited in sorted(happened, key=lambda one: one[0]):
        if edited:
            waiting.setdefault(name, []).append(edited)
        else:
            made += [(*before, when) for before in waiting.pop(name, ())]
    return made


def tell_times(tell, what, of_each, bound):
    took = times([written - began for began, _, written in of_each])
    since_answered = times([written - answered for _, answered, written in of_each])
    tell.line(f"{what}, p50, p99", f"{took}; from the change's answer {since_answered}", bound)
