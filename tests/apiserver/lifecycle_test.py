#!/usr/bin/env python3
"""What the program we replace does, on a real API server: creation, update, and the repair of each child."""
import json

from harness.suite import ClusterTest, eventually, figure, main, objects
from soak.upstream import ADDRESS, Upstream

FIVE = ("configmap", "deployment", "hpa", "service", "networkpolicy")
ALL = FIVE + ("pdb",)


def meaning(thing):
    """Without what the server counts and stamps, and what others own."""
    kept = {key: value for key, value in thing.items() if key != "status"}
    kept["metadata"] = {key: value for key, value in thing["metadata"].items()
                        if key in ("name", "namespace", "labels", "annotations", "ownerReferences")}
    if "deployment.kubernetes.io/revision" in kept["metadata"].get("annotations", {}):
        kept["metadata"]["annotations"].pop("deployment.kubernetes.io/revision")
    kept["spec"] = {key: value for key, value in thing.get("spec", {}).items()
                    if key not in ("clusterIP", "clusterIPs", "replicas")}
    return kept


class Lifecycle(ClusterTest):
    cluster_arguments = {"controllers": ("garbage-collector-controller",)}

    def operator_with_an_upstream(self, *flags):
        """Whatever it does not answer itself has the upstream's address."""
        upstream = Upstream()
        self.addCleanup(upstream.close)
        return self.operator(*flags, upstream=upstream.port)

    def test_an_external_service_gets_its_children_and_an_owner(self):
        operator = self.operator("--enable-pod-disruption-budgets")
        made = self.create("google", "google.com")
        for kind, one in self.wait_for_children("google", kinds=ALL).items():
            owners = one["metadata"]["ownerReferences"]
            self.assertEqual([(o["kind"], o["name"], o["uid"], o["controller"]) for o in owners],
                             [("ExternalService", "google", made["metadata"]["uid"], True)], kind)
        self.wait_settled(operator)
        counts = self.cluster.audit.summary(self.cluster.audit.writes())
        for resource in ("configmaps", "deployments", "horizontalpodautoscalers", "services", "networkpolicies",
                         "poddisruptionbudgets"):
            self.assertEqual(counts.pop("create " + resource), 1)
        self.assertEqual(set(counts), {"patch externalservices/status"}, counts)
        # One, when the children's events come before it is written; who is told of one late says so once more.
        self.assertLessEqual(counts["patch externalservices/status"], 2)
        figure("status writes for one new ExternalService", counts["patch externalservices/status"])

    def test_a_deleted_child_is_back(self):
        self.operator("--enable-pod-disruption-budgets")
        self.create("api")
        before = self.wait_for_children("api", kinds=ALL)
        for kind in ALL:
            with self.subTest(kind):
                self.api.delete(objects.child(kind, "api"))
                again = eventually(f"the {kind} is back", lambda: self.child(kind, "api"))
                self.assertNotEqual(again["metadata"]["uid"], before[kind]["metadata"]["uid"])
                self.assertEqual(meaning(again), meaning(before[kind]))
        self.assertEqual(self.child("service", "api")["spec"]["clusterIP"], before["service"]["spec"]["clusterIP"])

    EDITS = {
        "configmap": {"data": {"envoy.yaml": "hello", "other": "x"}},
        # A pod in the host's network may have no such sysctl.
        "deployment": {"spec": {"template": {"spec": {"dnsPolicy": "ClusterFirst", "hostNetwork": True,
                                                      "automountServiceAccountToken": True,
                                                      "securityContext": {"runAsUser": 0, "sysctls": None}}}}},
        "hpa": {"spec": {"maxReplicas": 1, "minReplicas": 1}},
        "service": {"spec": {"sessionAffinity": "ClientIP", "selector": {"app": "other"}}},
        "networkpolicy": {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}},
        "pdb": {"spec": {"maxUnavailable": 3}},
    }

    def test_an_edited_child_is_as_before_after_one_write(self):
        operator = self.operator("--enable-pod-disruption-budgets")
        self.create("api")
        before = self.wait_for_children("api", kinds=ALL)
        for kind, edit in self.EDITS.items():
            with self.subTest(kind):
                self.wait_settled(operator)
                before = self.children("api", kinds=ALL)
                self.cluster.audit.mark()
                edited = self.api.patch(objects.child(kind, "api"), edit)
                self.assertNotEqual(meaning(edited), meaning(before[kind]), "the edit says nothing")
                eventually(f"the {kind} is as before", lambda: meaning(self.child(kind, "api")) == meaning(before[kind]))
                self.wait_settled(operator)
                writes = [one for one in self.cluster.audit.writes() if one["objectRef"]["resource"] != "externalservices"]
                self.assertEqual(len(writes), 1, self.cluster.audit.summary(writes))

    def test_a_change_of_the_spec_reaches_the_children(self):
        self.operator()
        self.create("api", "one.example.com")
        first = self.wait_for_children("api")
        self.api.patch(objects.path("api"), {"spec": {"dnsName": "two.example.com", "ports": [{"port": 443}, {"port": 80}],
                                                      "minReplicas": 4, "maxReplicas": 9}})
        eventually("Envoy's configuration names the new host",
                   lambda: "two.example.com" in json.dumps(self.child("configmap", "api")["data"]))
        eventually("the Service has both ports",
                   lambda: [p["port"] for p in self.child("service", "api")["spec"]["ports"]] == [443, 80])
        eventually("the autoscaler has the new bounds",
                   lambda: (self.child("hpa", "api")["spec"]["minReplicas"], self.child("hpa", "api")["spec"]["maxReplicas"]) == (4, 9))

        def config_hash(deployment):
            return deployment["spec"]["template"]["metadata"]["annotations"]["egress.monzo.com/config-hash"]

        eventually("the pods roll",
                   lambda: config_hash(self.child("deployment", "api")) != config_hash(first["deployment"]))

    def test_the_hijack_follows_the_pods(self):
        operator = self.operator_with_an_upstream()
        self.create("api", "api.example.com")
        address = self.wait_for_children("api")["service"]["spec"]["clusterIP"]

        def label():
            return self.child("service", "api")["metadata"]["labels"].get("egress.monzo.com/hijack-dns")

        eventually("waits for pods", lambda: label() == "waiting-for-pods")
        self.assertEqual(operator.address("api.example.com"), ADDRESS)
        self.set_ready("api")
        eventually("hijacked", lambda: label() == "true")
        eventually("DNS answers", lambda: operator.address("api.example.com") == address)
        self.wait_for_condition("api", "Ready", "True")
        # Pods that go away do not end the hijack: an address that answers nothing leaks nothing.
        self.set_ready("api", 0)
        self.wait_for_condition("api", "Ready", "False")
        self.assertEqual((label(), operator.address("api.example.com")), ("true", address))
        self.api.patch(objects.path("api"), {"spec": {"hijackDns": False}})
        # DNS goes by the ExternalService, and may be ahead of the label.
        eventually("not hijacked any more", lambda: operator.address("api.example.com") == ADDRESS)
        eventually("the label says so", lambda: label() == "false")

    def test_the_hijack_label_is_a_state_machine(self):
        operator = self.operator()
        self.create("api", "api.example.com")
        address = self.wait_for_children("api")["service"]["spec"]["clusterIP"]

        def becomes(wanted):
            eventually(f"the label is {wanted}", lambda: self.child("service", "api")["metadata"]["labels"].get(
                "egress.monzo.com/hijack-dns") == wanted)
            self.wait_settled(operator)

        def put(label):
            self.api.patch(objects.child("service", "api"), {"metadata": {"labels": {"egress.monzo.com/hijack-dns": label}}})

        def hijack(wanted):
            self.api.patch(objects.path("api"), {"spec": {"hijackDns": wanted}})

        becomes("waiting-for-pods")
        for other in (None, "false", "nonsense"):
            put(other)
            becomes("waiting-for-pods")
        # One that was hijacked is not given back for want of pods.
        put("true")
        eventually("DNS has seen it", lambda: operator.address("api.example.com") == address)
        self.wait_settled(operator)
        becomes("true")
        hijack(False)
        becomes("false")
        for other in (None, "true", "waiting-for-pods", "nonsense"):
            put(other)
            becomes("false")
        hijack(True)
        becomes("waiting-for-pods")
        self.set_ready("api")
        becomes("true")
        for other in (None, "false", "waiting-for-pods", "nonsense"):
            put(other)
            becomes("true")
        hijack(False)
        becomes("false")

    def test_deletion_takes_everything_along(self):
        operator = self.operator_with_an_upstream("--enable-pod-disruption-budgets")
        self.create("api", "api.example.com")
        self.wait_for_children("api", kinds=ALL)
        self.set_ready("api")
        address = self.child("service", "api")["spec"]["clusterIP"]
        eventually("DNS answers", lambda: operator.address("api.example.com") == address)
        self.api.delete(objects.path("api"))
        for kind in ALL:
            eventually(f"the {kind} is collected", lambda: self.child(kind, "api") is None)
        eventually("DNS lets go", lambda: operator.address("api.example.com") == ADDRESS)

    def test_the_autoscalers_replicas_are_its_own(self):
        operator = self.operator()
        self.create("api", minReplicas=2, maxReplicas=8)
        self.wait_for_children("api")
        self.wait_settled(operator)
        self.cluster.audit.mark()
        self.api.patch(objects.child("deployment", "api") + "/scale", {"spec": {"replicas": 6}})
        self.api.patch(objects.path("api"), {"metadata": {"annotations": {"touched": "1"}}})
        self.wait_settled(operator)
        self.assertEqual(self.child("deployment", "api")["spec"]["replicas"], 6)
        self.assertEqual(self.cluster.audit.writes("deployments"), [])

    def test_a_rollout_restart_is_left_alone(self):
        operator = self.operator()
        self.create("api")
        self.wait_for_children("api")
        self.wait_settled(operator)
        self.cluster.audit.mark()
        self.cluster.kubectl("-n", objects.NAMESPACE, "rollout", "restart", "deployment/api")
        self.wait_settled(operator)
        annotations = self.child("deployment", "api")["spec"]["template"]["metadata"]["annotations"]
        self.assertIn("kubectl.kubernetes.io/restartedAt", annotations)
        self.assertEqual(self.cluster.audit.writes("deployments"), [])


class People(ClusterTest):
    """What people do with kubectl."""

    def test_wait_get_explain(self):
        self.operator()
        self.create("api", "api.example.com", ports=[{"port": 8443}, {"port": 123, "protocol": "UDP"}])
        self.wait_for_children("api")
        self.set_ready("api")
        said = self.cluster.kubectl("wait", "--for=condition=Ready", "externalservice/api", "--timeout=30s")
        self.assertIn("condition met", said)
        head, line = self.cluster.kubectl("get", "exsvc").splitlines()
        self.assertEqual(head.split("  ")[0], "NAME")
        for column in ("DNS NAME", "PORTS", "HIJACK", "READY", "AGE"):
            self.assertIn(column, head)
        self.assertRegex(line, r"^api +api\.example\.com +8443/TCP,123/UDP +true +True +\d+")
        for field in ("dnsName", "ports", "ipOverride", "minReplicas"):
            said = self.cluster.kubectl("explain", f"externalservice.spec.{field}")
            self.assertRegex(said, r"DESCRIPTION:\n +\S", field)

    def test_apply_on_both_sides(self):
        operator = self.operator()
        for side in ([], ["--server-side"]):
            with self.subTest(side):
                what = objects.external_service("applied", "one.example.com")
                self.cluster.kubectl("apply", *side, "-f", "-", stdin=json.dumps(what))
                self.wait_for_children("applied")
                what["spec"]["dnsName"] = "two.example.com"
                self.cluster.kubectl("apply", *side, "-f", "-", stdin=json.dumps(what))
                eventually("the children follow",
                           lambda: "two.example.com" in json.dumps(self.child("configmap", "applied")["data"]))
                self.wait_settled(operator)
                self.cluster.audit.mark()
                self.cluster.kubectl("apply", *side, "-f", "-", stdin=json.dumps(what))
                self.wait_settled(operator)
                self.assertEqual(self.cluster.audit.writes(), [])
                self.remove_all()


if __name__ == "__main__":
    main()
