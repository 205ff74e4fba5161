"""People and the Deployment controller: carry out steps until the API server has taken them, and know what they want."""
import threading
import time

from harness import objects
from harness.client import ApiError
from harness.waiting import eventually

from .plan import SHARED

# What a step may cost in accepted writes: children, the hijack label, and the status as it goes along.
COST = {"create": 12, "recreate": 12, "edit": 9, "damage": 3, "delete child": 4, "ready": 3, "unready": 2, "delete": 0,
        "spoil": 4}


class People:
    def __init__(self, api, names):
        self.api, self.names = api, names
        self.specs, self.ready = {}, {}  # by slot: what was asked for last; whether its pods are to be ready
        self.needed, self.done, self.claimed, self.history = 0, {}, [], []

    def carry_out(self, step):
        do = getattr(self, "_" + step.what.replace(" ", "_"))
        try:
            eventually(f"{step.what} {step.about} is taken", lambda: do(step.about, step.detail) or True, 120, every=0.2)
        finally:
            while self.claimed:
                self.names.end(self.claimed.pop())
        self.history.append(f"{time.strftime('%T')}.{int(time.time() * 1000) % 1000:03} {step.what} {step.about} "
                            f"{step.detail}")
        self.done[step.what] = self.done.get(step.what, 0) + 1
        self.needed += COST.get(step.what, 0)

    def _claim(self, slot, spec, still_hijacked=False):
        """The names that this may change, from before it happens."""
        for one in {self.specs.get(slot, {}).get("dnsName"), spec and spec["dnsName"]} - {None}:
            self.names.begin(one, still_hijacked)
            self.claimed.append(one)

    def _create(self, slot, spec):
        self._claim(slot, spec)
        made = {key: value for key, value in spec.items() if value is not None}
        try:
            self.api.create(objects.EXTERNAL_SERVICES, {
                "apiVersion": "egress.monzo.com/v1", "kind": "ExternalService", "metadata": {"name": slot}, "spec": made})
        except ApiError as error:
            if error.reason != "AlreadyExists":  # it was taken, and the answer was lost
                raise
        self.specs[slot], self.ready[slot] = spec, True

    def _edit(self, slot, spec):
        old = self.specs[slot]
        if old["dnsName"] != spec["dnsName"] or old["hijackDns"] != spec["hijackDns"] or spec["dnsName"] == SHARED:
            self._claim(slot, spec)
        self.api.patch(objects.path(slot), {"spec": spec})
        self.specs[slot] = spec

    def _spoil(self, slot, change):
        self.api.patch(objects.path(slot), {"spec": change})

    def unspoil_all(self):
        for slot, spec in self.specs.items():
            self.api.patch(objects.path(slot), {"spec": {"resources": spec["resources"]}})

    def _delete(self, slot, _):
        self._claim(slot, None)
        if self.api.find(objects.path(slot)):
            self.api.delete(objects.path(slot))
        self.specs.pop(slot, None)

    def _recreate(self, slot, spec):
        if slot in self.specs:
            self._delete(slot, None)
        self._create(slot, spec)

    def _change_child(self, slot, kind, change):
        # The Service holds the address, and its label and annotation say for which name; but whether a name is
        # hijacked, the ExternalService says.
        if kind == "service":
            self._claim(slot, None, still_hijacked=True)
        try:
            change()
        except ApiError as error:
            if error.status not in (404, 409, 422):  # not there just now, or just changing
                raise

    def _damage(self, slot, detail):
        kind, patch = detail
        self._change_child(slot, kind, lambda: self._damage_child(slot, kind, patch))

    def _damage_child(self, slot, kind, patch):
        meta = self.api.get(objects.child(kind, slot))["metadata"]
        # Without an owner and without our label it would be somebody else's, and rightly left alone.
        ours = meta.get("ownerReferences") and meta["labels"].get("egress.monzo.com/gateway") == slot
        if ours:
            patch = {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": meta["resourceVersion"]}}
            self.api.patch(objects.child(kind, slot), patch)

    def _delete_child(self, slot, kind):
        self._change_child(slot, kind, lambda: self.api.delete(objects.child(kind, slot)))

    def _ready(self, slot, _):
        if not self.ready[slot]:
            self._claim(slot, None, still_hijacked=True)
        self.ready[slot] = True

    def _unready(self, slot, _):
        # Once hijacked, always: a name that is stable stays what it is.
        self.ready[slot] = False


class DeploymentController(threading.Thread):
    """Makes the status of each Deployment what its pods would make of it."""

    def __init__(self, api, people):
        super().__init__(daemon=True)
        self.api, self.people, self.enough = api, people, threading.Event()

    def run(self):
        while not self.enough.wait(0.3):
            try:
                for one in self.api.items(objects.CHILDREN["deployment"]):
                    self.follow(one)
            except (OSError, AssertionError, ValueError):
                time.sleep(0.2)

    def follow(self, deployment):
        name, now = deployment["metadata"]["name"], deployment.get("status", {})
        pods = 1 if self.people.ready.get(name) else 0
        generation = deployment["metadata"]["generation"]
        if now.get("readyReplicas", 0) == pods and now.get("observedGeneration") == generation:
            return
        self.api.patch(objects.child("deployment", name) + "/status", {"status": {
            "observedGeneration": generation, "replicas": pods, "updatedReplicas": pods, "readyReplicas": pods,
            "availableReplicas": pods}})

    def stop(self):
        self.enough.set()
        self.join()
