"""What happens in a run, and when: a pure function of the seed and the length."""
import random
import typing

SLOTS = [f"soak-{i}" for i in range(20)]
SHARED = "shared.soak.test"  # of several ExternalServices: the oldest has it

DAMAGES = {
    "configmap": {"data": {"envoy.yaml": "static_resources: {}\n"}},
    "deployment": {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 7}}}},
    "hpa": {"spec": {"maxReplicas": 99}},
    "service": {"metadata": {"labels": {"egress.monzo.com/hijack-dns": "nonsense"}}},
    "networkpolicy": {"spec": {"policyTypes": ["Egress"]}},
    "pdb": {"spec": {"maxUnavailable": 3}},
}
EVERY_KIND = {
    "annotations": {"metadata": {"annotations": None}},
    "owners": {"metadata": {"ownerReferences": None}},
    "owner's name": {"metadata": {"labels": {"egress.monzo.com/gateway": "somebody-else"}}},
}

API_FAULTS = ("api hung", "api killed", "etcd killed", "compacted", "certificates replaced", "tokens revoked", "throttled")
REPLICA_FAULTS = ("cut off", "unheard", "deaf", "killed", "stopped", "paused", "new token")


class Step(typing.NamedTuple):
    at: float  # seconds from the start
    what: str
    about: typing.Any
    detail: typing.Any = None


def plan(seed, seconds):
    """(steps of people, faults), each in the order of time."""
    choice = random.Random(f"{seed} {seconds}")
    return people(choice, seconds), faults(choice, seconds)


def people(choice, seconds):
    there, steps, at = set(), [], 0.0
    while (at := at + choice.expovariate(4)) < seconds:
        slot = choice.choice(SLOTS)
        if slot not in there:
            what, detail = "create", specification(choice, slot)
        else:
            what = choice.choices(["edit", "damage", "delete child", "unready", "ready", "delete", "recreate", "spoil"],
                                  [6, 8, 5, 2, 3, 2, 2, 1])[0]
            detail = detail_of(choice, what, slot)
        (there.discard if what == "delete" else there.add)(slot)
        steps.append(Step(at, what, slot, detail))
    return steps


def detail_of(choice, what, slot):
    if what in ("edit", "recreate"):
        return specification(choice, slot)
    if what == "delete child":
        return choice.choice(list(DAMAGES))
    if what == "damage":
        kind = choice.choice(list(DAMAGES))
        how = choice.choice([*EVERY_KIND, "content"])
        return kind, EVERY_KIND.get(how, DAMAGES[kind])
    if what == "spoil":
        # Refused by the operator, not by the definition; corrected by the next edit, or in the end.
        return {"resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "1"}}}
    return None


def specification(choice, slot):
    numbers = choice.sample([80, 443, 5432, 6379, 8443, 9092], choice.randint(1, 4))
    ports = [{"port": number, "protocol": choice.choice(["TCP", "TCP", "TCP", "UDP"])} for number in numbers]
    name = SHARED if choice.random() < 0.05 else f"{slot}-{choice.randint(0, 1)}.soak.test"
    spec = {"dnsName": name, "hijackDns": choice.random() < 0.8, "ports": ports, "minReplicas": choice.randint(1, 3),
            "maxReplicas": choice.randint(3, 6), "ipOverride": None, "envoyClusterMaxConnections": None,
            "resources": None}
    if choice.random() < 0.2:
        spec["ipOverride"] = [f"192.0.2.{choice.randint(1, 250)}"]
    if choice.random() < 0.2:
        spec["envoyClusterMaxConnections"] = choice.randint(1, 5000)
    return spec


def faults(choice, seconds):
    """One of the API server and one of a replica at the same time, at most."""
    steps = []
    for kinds, rate in ((API_FAULTS, 1 / 12), (REPLICA_FAULTS, 1 / 8)):
        at = 5.0
        while (at := at + choice.expovariate(rate)) < seconds - 10:
            lasts = choice.uniform(0.5, 10)
            steps.append(Step(at, choice.choice(kinds), choice.randrange(2), lasts))
            at += lasts
    return sorted(steps)
