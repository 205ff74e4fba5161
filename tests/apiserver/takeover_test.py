#!/usr/bin/env python3
"""Taking over what is there: the children of the program we replace, and our own, without one needless write."""
import glob
import json
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from harness.operator import program
from harness.servers import ROOT
from harness.suite import ClusterTest, eventually, figure, main, objects, slack
from harness.waiting import stays

GOLDEN = f"{ROOT}/tests/golden"
KINDS = {"ConfigMap": "configmap", "Deployment": "deployment", "HorizontalPodAutoscaler": "hpa", "Service": "service",
         "NetworkPolicy": "networkpolicy", "PodDisruptionBudget": "pdb"}


class Takeover(ClusterTest):
    cluster_arguments = {"controllers": ()}
    SEED = ("--gateway-profile=compatible", "--enable-pod-disruption-budgets")

    def render(self, what, *flags):
        """The children by our own `render`, which other tests hold against tests/golden field by field."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(what, file)
            file.flush()
            made = subprocess.run([program(), "render", "-o", "json", "-f", file.name, *flags], capture_output=True,
                                  text=True, check=True)
        return json.loads(made.stdout)["items"]

    def make(self, kind, child):
        self.api.create(objects.CHILDREN[KINDS[kind]], child)

    def golden(self, file, service="Service"):
        """An ExternalService of tests/golden with the children that the program we replace made for it; `service`: its
        Service before ("Service") or after ("ServiceReady") its pods were ready."""
        with open(file, encoding="utf-8") as found:
            children = json.load(found)
        self.cluster.kubectl("create", "-f", file[:-5] + ".yaml")
        name = children["ConfigMap"]["metadata"]["name"]
        uid = self.api.get(objects.path(name))["metadata"]["uid"]
        for kind in KINDS:
            child = children[service if kind == "Service" else kind]
            child["metadata"]["ownerReferences"][0]["uid"] = uid
            self.make(kind, child)
        return name

    def rendered(self, i):
        """One more, by our own rendering: other tests hold that against the same files."""
        variants = [{}, {"minReplicas": 2, "maxReplicas": 5}, {"ports": [{"port": 443}, {"port": 80, "protocol": "TCP"}]},
                    {"ipOverride": ["192.0.2.7"]}, {"envoyJsonClusterAccessLogs": True, "envoyLogLevel": "debug"}]
        made = self.create(f"es-{i}", f"host-{i}.example.com", **variants[i % len(variants)])
        for child in self.render(made, *self.SEED):
            self.make(child["kind"], child)
        return f"es-{i}"

    def told(self):
        """{reason: [name]} of all Events about ExternalServices that are there, when any was posted since the mark."""
        posted = len(self.cluster.audit.writes("events", accepted_only=False))
        made, there = {}, {one["metadata"]["uid"] for one in self.api.items(objects.EXTERNAL_SERVICES)}
        for one in self.api.items("/api/v1/namespaces/default/events") if posted else []:
            if one["involvedObject"]["uid"] in there:
                made.setdefault(one["reason"], []).append(one["involvedObject"]["name"])
        return made

    def test_the_seeds_children_are_not_written(self):
        names = [self.golden(file) for file in sorted(glob.glob(f"{GOLDEN}/*.json"))]
        self.assertEqual(len(names), 5)
        with ThreadPoolExecutor(8) as pool:
            names += pool.map(self.rendered, range(100 - len(names)))
        self.cluster.audit.mark()
        operator = self.operator(*self.SEED)
        for name in names:
            self.wait_for_condition(name, "Accepted", "True")
        self.wait_settled(operator)
        counts = self.cluster.audit.summary(self.cluster.audit.writes(accepted_only=False))
        figure("writes at the takeover of 100", counts)
        self.assertEqual(counts, {"patch externalservices/status": 100})
        # The one of them with a UDP port, which the gateways of that program cannot serve.
        self.assertEqual(self.told(), {"EnvoyRejectsUDP": ["ntp"]})

        versions = {name: self.child("deployment", name)["metadata"]["generation"] for name in names}
        operator.stop()
        self.cluster.audit.mark()
        hardened = self.operator("--enable-pod-disruption-budgets", name="hardened")
        eventually("each Deployment has rolled", lambda: all(
            self.child("deployment", name)["metadata"]["generation"] > versions[name] for name in names), 60)
        self.wait_settled(hardened)
        counts = self.cluster.audit.summary(self.cluster.audit.writes())
        figure("writes of the switch to hardened", counts)
        self.assertEqual(counts["patch deployments"], 100)
        self.assertFalse([key for key in counts if key.startswith(("create", "delete"))], counts)

    def test_gateways_that_serve_are_taken_over_as_they_are(self):
        names = [self.golden(file, "ServiceReady") for file in sorted(glob.glob(f"{GOLDEN}/*.json"))]
        for name in names:
            self.set_ready(name)
        services = {name: self.child("service", name) for name in names}
        hijacked = {one["metadata"]["annotations"]["egress.monzo.com/dns-name"]: one["spec"]["clusterIP"]
                    for one in services.values() if one["metadata"]["labels"]["egress.monzo.com/hijack-dns"] == "true"}
        self.assertEqual(len(hijacked), 3)
        self.cluster.audit.mark()
        operator = self.operator(*self.SEED)
        # It is ready: from here on CoreDNS may ask it instead of the one that was built.
        self.assertEqual({name: operator.address(name) for name in hijacked}, hijacked)
        for name in names:
            self.wait_for_condition(name, "GatewayReady", "False" if name == "ntp" else "True")
        self.wait_settled(operator)
        counts = self.cluster.audit.summary(self.cluster.audit.writes(accepted_only=False))
        figure("writes at the takeover of gateways that serve", counts)
        self.assertEqual(counts, {"patch externalservices/status": len(names)})

    def test_a_restart_with_a_thousand_in_place_writes_nothing(self):
        first = self.operator()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: self.create(f"es-{i}", f"host-{i}.example.com"), range(1000)))
        eventually("all children are there",
                   lambda: all(len(self.api.items(objects.CHILDREN[kind])) >= 1000 for kind in objects.CHILDREN if kind != "pdb"),
                   slack(120), 1)
        self.wait_settled(first, slack(120))
        self.assertEqual(first.stop(), 0)
        self.cluster.audit.mark()
        began = time.monotonic()
        second = self.operator(name="second")
        took = time.monotonic() - began
        self.wait_settled(second)
        stays("nothing is written", lambda: not self.cluster.audit.writes(accepted_only=False) and not self.told(), 2)
        figure("restart with 1,000 in place: ready after", f"{took:.2f} s")
        figure("restart with 1,000 in place: resident", f"{second.resident() / 2**20:.1f} MiB")
        self.assertLess(took, slack(2))


if __name__ == "__main__":
    main()
