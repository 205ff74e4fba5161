"""A real API server with some ExternalServices, and what is measured in it: the floor, and an operator."""
import json
import math
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "apiserver"))

from harness import objects  # pylint: disable=wrong-import-position
from harness.lease import instant  # pylint: disable=wrong-import-position
from harness.operator import Operator  # pylint: disable=wrong-import-position
from harness.servers import Cluster  # pylint: disable=wrong-import-position
from harness.waiting import eventually  # pylint: disable=wrong-import-position

CONNECTIONS = 16  # of the floor, and of the operator (--max-concurrent-reconciles)
KINDS = ("configmap", "deployment", "hpa", "service", "networkpolicy")
PLURALS = {"ConfigMap": "configmap", "Deployment": "deployment", "HorizontalPodAutoscaler": "hpa", "Service": "service",
           "NetworkPolicy": "networkpolicy"}


def external_service(number):
    return objects.external_service(f"es-{number}", f"host-{number}.example.com",
                                    ports=[{"port": 443}, {"port": 8443}])


def status(number):
    """As much as an operator says of one, for who writes without being one."""
    at = {"lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}
    conditions = [{"type": kind, "status": "False", "reason": "NoReadyPods", "message": "no pod of the gateway is ready yet", **at}
                  for kind in ("Accepted", "GatewayReady", "DNSHijacked", "Ready")]
    return {"observedGeneration": 1, "clusterIP": f"10.0.{number // 250 % 250}.{number % 250}", "readyReplicas": 0,
            "configHash": "12345678", "ports": "443/TCP,8443/TCP", "conditions": conditions}


class Lab:
    def __init__(self, options, count):
        self.options, self.count = options, count
        os.environ["EGRESS_OPERATOR"] = options.operator
        self.cluster = Cluster(controllers=())
        self.api, self.audit = self.cluster.admin, self.cluster.audit
        self.token = f"{self.cluster.folder}/floor.token"
        pathlib.Path(self.token).write_text(self.cluster.operator_token(), encoding="ascii")
        pathlib.Path(f"{self.cluster.folder}/admin.token").write_text("admin-token", encoding="ascii")

    def stop(self):
        self.cluster.stop()

    def rest(self):
        """Until the server has done with what came before (watch caches, a collection of garbage): whoever is measured
        begins on one that has nothing else to do."""
        servers = (self.cluster.apiserver, self.cluster.etcd)

        def idle():
            before = sum(one.cpu() for one in servers)
            time.sleep(.25)
            return sum(one.cpu() for one in servers) - before < .02

        eventually("the server is at rest", idle, 60, every=0)

    # What the floor does.

    def _floor(self, how, lines, token=None, connections=CONNECTIONS, rate=0):
        file = f"{self.cluster.folder}/floor.{how}"
        pathlib.Path(file).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        done = subprocess.run(
            [self.options.floor, f"https://127.0.0.1:{self.cluster.port}", self.cluster.authority.certificate,
             token or self.token, str(connections), how, file, str(rate)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench-controller: the floor failed: {done.stdout}{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def create_external_services(self):
        self._floor("post", (f"{objects.EXTERNAL_SERVICES}\t{json.dumps(external_service(i))}" for i in range(self.count)),
                    f"{self.cluster.folder}/admin.token")
        self.rest()

    def patch_at_rate(self, changes, rate):
        """Each change is some (path, patch), one after the other. Of each: when it was begun, and when each was answered;
        and by how much one was begun too late, at most. Seconds since 1970, and seconds."""
        lines = ("\t".join(f"{path}\t{json.dumps(patch)}" for path, patch in one) for one in changes)
        late = self._floor("patch", lines, f"{self.cluster.folder}/admin.token", rate=rate)["latest"]
        with open(f"{self.cluster.folder}/floor.patch.times", encoding="ascii") as file:
            return [[float(word) for word in line.split()] for line in file], late

    def _rendered(self):
        done = subprocess.run([self.options.operator, "render", "-o", "json", "-f", "-"], capture_output=True, text=True, check=True,
                              input="\n---\n".join(json.dumps(external_service(i)) for i in range(self.count)))
        return json.loads(done.stdout)["items"]

    def floor_of_children(self):
        """(Seconds that the children alone take, CPU seconds of who sends them)."""
        made = self._floor("post", (f"{objects.CHILDREN[PLURALS[one['kind']]]}\t{json.dumps(one)}" for one in self._rendered()))
        return made["seconds"], made["cpu_seconds"]

    def floor_of_statuses(self):
        """Seconds that a status for each takes, once the children are there."""
        return self._floor("patch", (f"{objects.path(f'es-{i}')}/status\t{json.dumps({'status': status(i)})}"
                                     for i in range(self.count)))["seconds"]

    def floor_of_lists(self):
        """Seconds for a paged list of each kind that is watched, all at once."""
        paths = [objects.EXTERNAL_SERVICES, *(objects.CHILDREN[kind] for kind in (*KINDS, "pdb"))]
        read = self._floor("list", paths, connections=len(paths))
        pages = -(-self.count // 500) * (len(KINDS) + 1)
        if read["answers"] < pages:
            raise SystemExit(f"bench-controller: the floor of lists read {read['answers']} pages, and there are {pages} at least")
        return read["seconds"]

    # What the operator does.

    def start(self, *flags, name="operator", wait=False):
        return Operator(self.cluster, *flags, name=name, wait=wait)

    def wait_until_settled(self, operator, seconds=900):
        """It has listed, all children are there, and nothing was written for two seconds."""
        seen = {"count": -1, "since": 0.0}

        def quiet():
            size = os.path.getsize(self.audit.log)
            if size != seen["count"]:
                seen.update(count=size, since=time.monotonic())
            return time.monotonic() - seen["since"] > 2 and operator.is_ready() and operator.metric("workqueue_depth") == 0

        eventually("the operator has nothing to do", quiet, seconds, every=0.2)

    def writes(self):
        return self.audit.writes(accepted_only=False)

    def seconds_until(self, began, entries):
        """From the wall-clock time `began` until the last of them was answered."""
        return max(instant(one["stageTimestamp"]).timestamp() for one in entries) - began


def peak(operator):
    """The most that was ever resident, in bytes."""
    for line in pathlib.Path(f"/proc/{operator.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def memory(size):
    return f"{size / 2**20:.1f} MiB"


def percentile(samples, share):
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def times(took):
    """The p50 and the p99."""
    return f"{percentile(took, .5) * 1e3:.1f}, {percentile(took, .99) * 1e3:.1f} ms"
