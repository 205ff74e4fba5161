#!/usr/bin/env python3
"""People and faults at random for some minutes; in the end all is as wanted, and no DNS answer was wrong on the way."""
import contextlib
import os
import random
import threading
import time

from harness.suite import ClusterTest, eventually, figure, main, objects, slack
from soak import desired, servers
from soak.addresses import Addresses
from soak.people import DeploymentController, People
from soak.plan import API_FAULTS, SHARED, plan
from soak.replica import Replica
from soak.upstream import ADDRESS, Upstream
from soak.witness import Names, Witness

MINUTES = float(os.environ.get("EGRESS_SOAK_MINUTES") or 3)
SEED = int(os.environ.get("EGRESS_SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
NEVER = [f"never-{i}.soak.test" for i in range(5)]


class Soak(ClusterTest):
    cluster_arguments = {"deploy": "deploy/overlays/leader-election", "controllers": ("garbage-collector-controller",)}

    def setUp(self):
        super().setUp()
        figure("seed", f"{SEED} (EGRESS_SOAK_SEED={SEED} EGRESS_SOAK_MINUTES={MINUTES:g} repeats it)")
        self.names, self.upstream, self.enough, self.trouble = Names(), Upstream(), threading.Event(), []
        self.struck = []
        self.addCleanup(self.upstream.close)
        self.replicas = [Replica(self, name, self.upstream.port) for name in ("a", "b")]
        for one in self.replicas:
            self.addCleanup(one.way.close)
            one.serve()
        self.people = People(self.api, self.names)
        self.controller = DeploymentController(self.api, self.people)
        self.addresses = Addresses(self.api, self.names)
        self.witnesses = [Witness(self.names, self.replicas, f"{SEED}/{i}") for i in range(2)]
        for name in NEVER:
            self.names.begin(name)
            self.names.end(name)

    # Threads of the run; what goes wrong in one is told in the end.
    def start(self, work, *arguments):
        def run():
            try:
                work(*arguments)
            except BaseException as error:  # pylint: disable=broad-except
                self.trouble.append(f"{work.__name__}: {error!r}")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def wait_until(self, seconds):
        self.enough.wait(max(0.0, self.began + seconds - time.monotonic()))

    def run_faults(self, faults):
        for one in faults:
            self.wait_until(one.at)
            self.struck.append(f"{time.strftime('%T')} {one.what} {'ab'[one.about]} {one.detail:.1f} s")
            if one.what in API_FAULTS:
                with contextlib.ExitStack() as stack:
                    for replica in self.replicas:
                        stack.enter_context(replica.out_of_touch())
                    servers.suffer(self.cluster, self.replicas, one.what, lambda: time.sleep(one.detail))
            else:
                self.replicas[one.about].suffer(one.what, lambda: time.sleep(one.detail))

    def address_of(self, name):
        """What the name should lead to by all that was asked for, and whether only a step about the name can change that;
        LookupError when it cannot be said yet."""
        meant = [slot for slot, spec in list(self.people.specs.items()) if spec["dnsName"] == name]
        winner = min(meant, key=self.age, default=None)
        if winner is not None and self.people.specs[winner]["hijackDns"]:
            return self.gateway_of(winner, name), name != SHARED
        # What a refused one has stays as it is, and the name with it: its own as long as nobody else hijacks it, and the
        # one it had before.
        had_by = [one["metadata"] for one in self.api.items(objects.CHILDREN["service"]) if self.says(one, name)]
        losers = [meta["name"] for meta in had_by if meta["name"] in self.people.specs and meta["name"] != winner]
        for slot in losers:
            if not self.is_refused(slot):
                raise LookupError(f"{name}: the Service {slot} still has it")
        hijacked = [slot for slot in losers if self.people.specs[slot]["hijackDns"]]
        address = self.gateway_of(min(hijacked, key=self.age), name) if hijacked else ADDRESS
        return address, name != SHARED and not losers

    @staticmethod
    def says(service, name):
        meta = service["metadata"]
        return (meta.get("annotations", {}).get("egress.monzo.com/dns-name") == name
                and meta["labels"].get("egress.monzo.com/hijack-dns") == "true")

    def is_refused(self, slot):
        name = self.people.specs[slot]["dnsName"]
        holders = [one for one, spec in list(self.people.specs.items()) if spec["dnsName"] == name]
        return slot != min(holders, key=self.age)

    def gateway_of(self, slot, name):
        # Without ready pods it depends on whether it was hijacked before: both answers are right.
        service, owner = self.child("service", slot), self.api.get(objects.path(slot))["metadata"]["uid"]
        if [ref["uid"] for ref in service["metadata"].get("ownerReferences", [])] != [owner]:
            raise LookupError(f"{name}: the Service of {slot} is not its own")
        if not self.people.ready[slot] or not self.says(service, name):
            raise LookupError(f"{name}: {slot} is not hijacked yet")
        return service["spec"]["clusterIP"]

    def age(self, slot):
        meta = self.api.get(objects.path(slot))["metadata"]
        return meta["creationTimestamp"], slot

    def settle_names(self):
        while not self.enough.wait(0.2):
            for name in self.names.unsettled():
                self.try_to_settle(name)

    def try_to_settle(self, name):
        """Why it cannot be done yet; empty when it was."""
        version = self.names.version(name)
        try:
            address, firm = self.address_of(name)
        except (OSError, AssertionError, LookupError, TypeError) as error:
            return f"{name}: {error!r}"
        for one in self.replicas:
            if not one.asked:
                return f"{one.name} is not asked"
            answer = one.operator.ask(name)
            if answer != (0, [address]):
                return f"{name}: {one.name} answers {answer}, not {address}"
        # What moves with the age of those who claim it is never called stable.
        if firm:
            self.names.settle(name, address, version)
        return ""

    def all_answered(self):
        unsettled = [why for why in map(self.try_to_settle, self.names.all()) if why]
        assert not unsettled, unsettled
        return True

    def measure_memory(self):
        while not self.enough.wait(1):
            for one in self.replicas:
                try:
                    one.resident[one.operator.pid].append((time.monotonic(), one.operator.resident()))
                except (OSError, KeyError, IndexError, ValueError):
                    pass

    def test_all_is_as_wanted_in_the_end(self):
        steps, faults = plan(SEED, MINUTES * 60)
        self.cluster.audit.mark()
        self.began = time.monotonic()
        for one in (self.addresses, self.controller, *self.witnesses):
            one.start()
        self.addCleanup(self.enough.set)
        threads = [self.start(self.settle_names), self.start(self.measure_memory)]
        struck = [self.start(self.run_faults, [f for f in faults if (f.what in API_FAULTS) == of_api])
                  for of_api in (True, False)]
        for step in steps:
            self.wait_until(step.at)
            self.people.carry_out(step)
        for one in struck:
            one.join()
        self.assertEqual(self.trouble, [])
        healed = time.monotonic()
        self.converge()
        figure("converged after the last fault", f"{time.monotonic() - healed:.1f} s")
        self.count_writes(len(faults))
        self.enough.set()
        self.addresses.enough.set()
        for one in (*threads, self.controller, *self.witnesses):
            (one.stop if hasattr(one, "stop") else one.join)()
        self.tell(faults)
        self.remove_everything()

    def converge(self):
        eventually("what was spoilt is mended", lambda: self.people.unspoil_all() or True, 120, every=0.2)
        for slot in list(self.people.ready):
            if not self.people.ready[slot]:
                self.people._ready(slot, None)  # pylint: disable=protected-access
        eventually("every child is as rendered", self.all_as_rendered, slack(120), every=0.5)
        eventually("every name has its answer on every replica", self.all_answered, slack(60), every=0.5)

    def all_as_rendered(self):
        made = self.api.items(objects.EXTERNAL_SERVICES)
        assert {one["metadata"]["name"] for one in made} == set(self.people.specs), "ExternalServices"
        holders = [one for one in made if one["spec"]["dnsName"] == SHARED]
        oldest = min(holders, key=lambda one: self.age(one["metadata"]["name"]), default=None)
        losers = {one["metadata"]["name"] for one in holders if one is not oldest}
        wanted = desired.children(self.replicas[0].operator.arguments[0],
                                  [one for one in made if one["metadata"]["name"] not in losers])
        found = {(kind, one["metadata"]["name"]): one for kind, at in objects.CHILDREN.items()
                 for one in self.api.items(at) if one["metadata"].get("labels", {}).get("app") == "egress-gateway"}
        # One whose owner was taken off before the owner went is nobody's: neither the collector's nor the operator's.
        wrong = [f"left over: {key}" for key, one in found.items() if key not in wanted and key[1] not in losers
                 and one["metadata"].get("ownerReferences")]
        owners = {one["metadata"]["name"]: one["metadata"]["uid"] for one in made}
        for key, one in wanted.items():
            there = found.get(key, {"metadata": {}})
            wrong += [f"{key}: {why}" for why in desired.differences(one, there, (key[0],))]
            if [ref["uid"] for ref in there["metadata"].get("ownerReferences", [])] != [owners[key[1]]]:
                wrong.append(f"{key}: owners")
        for one in made:
            ready = objects.condition(one, "Ready")
            good = "False" if one["metadata"]["name"] in losers else "True"
            if ready.get("status") != good or ready.get("observedGeneration") != one["metadata"]["generation"]:
                wrong.append(f"{one['metadata']['name']}: {ready}")
        assert not wrong, wrong[:5]
        return True

    def count_writes(self, faults):
        quiet = {"count": -1, "since": 0.0}

        def still():
            count = len(self.cluster.audit.writes(accepted_only=False))
            if count != quiet["count"]:
                quiet.update(count=count, since=time.monotonic())
            return time.monotonic() - quiet["since"] > 10

        eventually("ten seconds without a write", still, slack(60), every=0.2)
        accepted = len(self.cluster.audit.writes())
        figure("accepted writes", f"{accepted} (the steps need {self.people.needed} at most): "
                                  f"{self.cluster.audit.summary(self.cluster.audit.writes())}")
        figure("requests answered 429", sum(one.get("responseStatus", {}).get("code") == 429
                                            for one in self.cluster.audit.entries()))
        self.assertLess(accepted, self.people.needed + 30 * faults)

    def tell(self, faults):
        figure("steps", dict(sorted(self.people.done.items())))
        kinds = [one.what for one in faults]
        figure("faults", {kind: kinds.count(kind) for kind in sorted(set(kinds))})
        wrong = [line for one in self.witnesses for line in one.all_wrong()]
        figure("DNS, while a Service was damaged or away and the name stayed hijacked",
               f"{sum(one.kept for one in self.witnesses)} answers")
        figure("DNS", f"{sum(one.asked for one in self.witnesses)} answers, {len(wrong)} wrong or missing, the slowest "
                      f"after {max(one.slowest for one in self.witnesses):.2f} s; "
                      f"{sum(one.late for one in self.witnesses)} still with a gateway while the news could not come")
        for line in wrong[:200] + self.people.history if wrong else []:
            print(line)
        self.assertEqual(wrong[:3], [], self.about(wrong))
        for one in self.replicas:
            for samples in one.resident.values():
                self.tell_memory(one, samples)

    def about(self, wrong):
        """What is needed to look for the cause where only the end of the output is kept."""
        slots = {line.split()[1].rpartition("-")[0] for line in wrong}
        lines = [line for line in self.people.history if slots.intersection(line.split())]
        return "\n".join(["", *lines[-20:], *self.struck[-30:], f"EGRESS_SOAK_SEED={SEED} EGRESS_SOAK_MINUTES={MINUTES:g}"])

    def tell_memory(self, replica, samples):
        """Of a process that lived long enough to have warmed up."""
        if not samples or samples[-1][0] - samples[0][0] < 60:
            return
        third = samples[len(samples) // 3:len(samples) // 3 * 2]
        middle, end = (max(size for _, size in part) for part in (third, samples[len(samples) // 3 * 2:]))
        figure(f"resident, {replica.name}, a process of {samples[-1][0] - samples[0][0]:.0f} s",
               f"{middle / 2**20:.1f} MiB in its second third, {end / 2**20:.1f} MiB in its last")
        if "EGRESS_TEST_SLACK" not in os.environ or slack(1) == 1:
            self.assertLess(end, middle * 1.1 + 2 * 2**20)

    def remove_everything(self):
        for slot in list(self.people.specs):
            self.people._delete(slot, None)  # pylint: disable=protected-access
        eventually("no child is left that has an owner", lambda: not any(
            one["metadata"].get("ownerReferences") for at in objects.CHILDREN.values()
            for one in self.api.items(at + "?labelSelector=app%3Degress-gateway")), slack(60))
        for name in self.names.all():
            eventually(f"{name} is forwarded", lambda name=name: all(
                one.operator.address(name) == ADDRESS for one in self.replicas))


if __name__ == "__main__":
    main()
