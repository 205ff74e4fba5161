"""The frame of a test file: one cluster a class, and a run that says loudly when it is left out."""
import os
import sys
import time
import unittest

from . import objects
from .client import ApiError
from .operator import Operator
from .servers import Cluster
from .waiting import eventually

LEFT_OUT = 77  # ctest shows the test as skipped


def slack(seconds):
    """A bound of time, for a machine or a build that is slower than usual (EGRESS_TEST_SLACK: a factor)."""
    return seconds * float(os.environ.get("EGRESS_TEST_SLACK", "1"))


def figure(what, value):
    """A figure of the run, for people and for docs/reliability.md."""
    print(f"figure: {what}: {value}", flush=True)


class ClusterTest(unittest.TestCase):
    cluster_arguments = {}

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(**cls.cluster_arguments)
        cls.api = cls.cluster.admin
        cls.operators = []

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def setUp(self):
        self.cluster.audit.mark()
        self.begins_at, self.forbidden_on_purpose = self.cluster.audit.at, False
        self.failed_before = self.failures_so_far()

    def failures_so_far(self):
        return len(self._outcome.result.failures) + len(self._outcome.result.errors)

    def tearDown(self):
        self.end_operators()
        self.remove_all()
        self.assert_nothing_was_forbidden()

    def end_operators(self):
        for one in self.operators:
            if self.failures_so_far() > self.failed_before:
                print(f"--- {self.id()}: {one.name} {one.tail()}", flush=True)
            one.kill()
        self.operators.clear()

    def assert_nothing_was_forbidden(self):
        """The rights of deploy/ are enough for whatever a test does, but for one that takes some away."""
        if not self.forbidden_on_purpose:
            self.assertEqual(self.cluster.audit.reasons(self.cluster.audit.forbidden(self.begins_at)), {})

    def operator(self, *flags, **options):
        made = Operator(self.cluster, *flags, **options)
        self.operators.append(made)
        return made

    def create(self, name, *arguments, **spec):
        return self.api.create(objects.EXTERNAL_SERVICES, objects.external_service(name, *arguments, **spec))

    def remove_all(self):
        """Every ExternalService and every child, as if none had been."""
        self.api.delete(objects.EXTERNAL_SERVICES)
        for at in objects.CHILDREN.values():
            self.api.delete(at + "?labelSelector=app%3Degress-gateway")
        eventually("nothing is left", lambda: not self.api.items(objects.EXTERNAL_SERVICES))

    def child(self, kind, name):
        return self.api.find(objects.child(kind, name))

    def children(self, name, kinds=("configmap", "deployment", "hpa", "service", "networkpolicy")):
        """All of them; LookupError while one is missing."""
        found = {kind: self.child(kind, name) for kind in kinds}
        missing = [kind for kind, one in found.items() if one is None]
        if missing:
            raise LookupError(f"{name} has no {', '.join(missing)}")
        return found

    def wait_for_children(self, name, **options):
        return eventually(f"{name} has its children", lambda: self.children(name, **options))

    def condition(self, name, kind):
        return objects.condition(self.api.get(objects.path(name)), kind)

    def events(self, name):
        """[(type, reason, message, how often)] about the ExternalService that has the name now."""
        uid = self.api.get(objects.path(name))["metadata"]["uid"]
        return [(one["type"], one["reason"], one["message"], one["count"])
                for one in self.api.items("/api/v1/namespaces/default/events") if one["involvedObject"]["uid"] == uid]

    def wait_for_condition(self, name, kind, status=None, reason=None, seconds=30):
        def holds():
            one = self.condition(name, kind)
            ok = one and status in (None, one["status"]) and reason in (None, one["reason"])
            return one if ok else (_ for _ in ()).throw(LookupError(f"{name}: {kind} is {one}"))

        return eventually(f"{name}: {kind} is {status} {reason or ''}", holds, seconds)

    def set_ready(self, name, replicas=1):
        """Stands in for the Deployment controller and the kubelet."""
        generation = self.api.get(objects.child("deployment", name))["metadata"]["generation"]
        self.api.patch(objects.child("deployment", name) + "/status",
                       {"status": {"observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas,
                                   "readyReplicas": replicas, "availableReplicas": replicas}})

    def wait_settled(self, operator, seconds=60):
        """Nothing queued, nothing in work, and no write and no Event for half a second."""
        seen = {"count": -1, "since": 0.0}

        def quiet():
            idle = operator.metric("workqueue_depth") == 0 and operator.metric("controller_runtime_active_workers") == 0
            count = sum(len(self.cluster.audit.writes(one, accepted_only=False)) for one in (None, "events"))
            if not idle or count != seen["count"]:
                seen.update(count=count, since=time.monotonic())
            return time.monotonic() - seen["since"] > 0.5

        eventually("the operator has nothing to do", quiet, seconds, every=0.1)


def leave_out(why):
    """As scripts/test.sh: what is required fails instead."""
    print(f"LEFT OUT: the tests on a real API server: {why}", file=sys.stderr)
    sys.exit(1 if os.environ.get("EGRESS_APISERVER") == "required" else LEFT_OUT)


def main():
    """Runs the tests of the file that calls it."""
    try:
        from . import servers
        servers.assets()
        servers.kubectl_program()
    except LookupError as error:
        leave_out(error)
    unittest.main(module="__main__", verbosity=2, failfast=False)


__all__ = ["ApiError", "ClusterTest", "eventually", "figure", "leave_out", "main", "objects", "slack"]
