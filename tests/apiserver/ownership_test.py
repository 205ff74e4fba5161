#!/usr/bin/env python3
"""Where the program we replace goes wrong on a real API server: each a test of ours."""
from harness.suite import ApiError, ClusterTest, eventually, figure, main, objects
from harness.waiting import stays

GATEWAY = "egress.monzo.com/gateway"


class Children(ClusterTest):
    cluster_arguments = {"controllers": ("garbage-collector-controller",)}

    KINDS = ("configmap", "deployment", "hpa", "service", "networkpolicy", "pdb")

    def settled(self, name="api", **spec):
        operator = self.operator("--enable-pod-disruption-budgets")
        self.create(name, **spec)
        self.wait_for_children(name, kinds=self.KINDS)
        self.wait_settled(operator)
        self.cluster.audit.mark()
        return operator

    def writes_to(self, resource):
        return len(self.cluster.audit.writes(resource))

    def test_all_annotations_removed(self):
        operator = self.settled()
        for kind in self.KINDS:
            with self.subTest(kind):
                self.api.patch(objects.child(kind, "api"), {"metadata": {"annotations": None}})
                eventually("ours are back", lambda: self.child(kind, "api")["metadata"].get("annotations", {}).get(
                    "egress.monzo.com/dns-name") == "api.example.com")
        self.wait_settled(operator)
        self.assertTrue(operator.alive())

    def test_owner_references_removed(self):
        operator = self.settled()
        for kind in self.KINDS:
            with self.subTest(kind):
                self.api.patch(objects.child(kind, "api"), {"metadata": {"ownerReferences": None}})
                eventually("the owner is back", lambda: self.child(kind, "api")["metadata"].get("ownerReferences"))
        self.wait_settled(operator)
        # And still watched: a later edit is mended.
        self.api.patch(objects.child("configmap", "api"), {"data": {"envoy.yaml": "x"}})
        eventually("mended", lambda: self.child("configmap", "api")["data"]["envoy.yaml"] != "x")

    def test_our_label_removed(self):
        self.settled()
        for kind in self.KINDS:
            with self.subTest(kind):
                self.cluster.audit.mark()
                self.api.patch(objects.child(kind, "api"), {"metadata": {"labels": {"app": None, GATEWAY: None}}})
                self.mended_by_one_write(kind)

    def test_a_child_edited_out_of_the_watch(self):
        """Without `app` it leaves the informer's selector: to a watcher, it was deleted."""
        self.settled()
        for kind in self.KINDS:
            with self.subTest(kind):
                self.cluster.audit.mark()
                self.api.patch(objects.child(kind, "api"), {"metadata": {"labels": {"app": None}}})
                self.mended_by_one_write(kind)

    def mended_by_one_write(self, kind):
        """Of those accepted: before it comes a POST that the object's name refuses."""
        eventually("the labels are back", lambda: [
            self.child(kind, "api")["metadata"]["labels"].get(key) for key in ("app", GATEWAY)
        ] == ["egress-gateway", "api"])
        entries = self.cluster.audit.writes(accepted_only=False)
        accepted = [one for one in entries if one["responseStatus"]["code"] < 300 and not one["objectRef"].get("subresource")]
        figure(f"{kind} out of the watch: writes accepted and refused", f"{len(accepted)}, {len(entries) - len(accepted)}")
        self.assertEqual([one["verb"] for one in accepted], ["patch"], accepted)
        self.assertLessEqual(len(entries), 3, entries)

    def test_a_foreign_service_of_the_name_is_left_alone(self):
        foreign = self.api.create(objects.CHILDREN["service"], {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "api", "labels": {"whose": "mine"}},
            "spec": {"selector": {"app": "mine"}, "ports": [{"port": 80}]}})
        operator = self.operator()
        self.create("api")
        self.wait_for_condition("api", "Ready", "False", "NameTaken")
        self.wait_settled(operator)
        self.assertEqual(self.child("service", "api")["metadata"]["resourceVersion"],
                         foreign["metadata"]["resourceVersion"])
        for kind in ("configmap", "deployment", "hpa", "networkpolicy"):
            self.assertIsNotNone(self.child(kind, "api"), f"{kind}: one kind that fails keeps no other from being made")
        events = self.api.items("/api/v1/namespaces/default/events")
        self.assertIn("NameTaken", [one["reason"] for one in events if one["involvedObject"]["name"] == "api"])
        self.api.delete(objects.child("service", "api"))
        # Nothing tells the operator of a Service that is not its own: looked at again every 30 s.
        eventually("ours takes its place", lambda: self.child("service", "api")["metadata"]["labels"][GATEWAY] == "api", 45)

    def test_a_service_with_our_label_and_no_owner_is_adopted(self):
        self.api.create(objects.CHILDREN["service"], {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "api", "labels": {"app": "egress-gateway", GATEWAY: "api"}},
            "spec": {"selector": {GATEWAY: "api"}, "ports": [{"name": "tcp-443", "port": 443}]}})
        address = self.child("service", "api")["spec"]["clusterIP"]
        self.operator()
        self.create("api")
        eventually("it has our owner", lambda: self.child("service", "api")["metadata"].get("ownerReferences"))
        self.assertEqual(self.child("service", "api")["spec"]["clusterIP"], address)

    def test_a_deleted_budget_is_back_and_needs_no_restart(self):
        self.settled()
        self.api.delete(objects.child("pdb", "api"))
        eventually("it is back", lambda: self.child("pdb", "api"))

    def test_min_replicas_above_the_default_maximum(self):
        self.settled("many", minReplicas=20)
        spec = self.child("hpa", "many")["spec"]
        self.assertEqual((spec["minReplicas"], spec["maxReplicas"]), (20, 20))

    def test_removed_labels_and_annotations_of_others_stay(self):
        operator = self.settled()
        for kind in self.KINDS:
            self.api.patch(objects.child(kind, "api"),
                           {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}})
        self.wait_settled(operator)
        self.assertEqual(self.cluster.audit.writes(), [])
        self.api.patch(objects.path("api"), {"spec": {"dnsName": "other.example.com"}})
        for kind in self.KINDS:
            eventually(f"the {kind} follows", lambda: self.child(kind, "api")["metadata"]["annotations"][
                "egress.monzo.com/dns-name"] == "other.example.com")
            meta = self.child(kind, "api")["metadata"]
            self.assertEqual((meta["labels"]["team"], meta["annotations"]["note"]), ("a", "b"), kind)

    def test_a_deployment_with_another_selector_is_somebodys_own(self):
        labels = {"app": "egress-gateway", GATEWAY: "api"}
        self.api.create(objects.CHILDREN["deployment"], {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "labels": labels},
            "spec": {"selector": {"matchLabels": {"app": "mine"}}, "template": {
                "metadata": {"labels": {"app": "mine"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
        operator = self.operator()
        self.create("api")
        self.wait_for_condition("api", "Ready", "False", "NameTaken")
        self.wait_settled(operator)
        self.assertEqual(self.writes_to("deployments"), 0)

    def test_a_kind_that_is_refused_keeps_no_other_back(self):
        # The server refuses every new Deployment here: as a policy engine does.
        self.api.create("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "no-deployments"},
            "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": [{
                "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]},
                "validations": [{"expression": "object.metadata.name != 'refused'", "message": "not this one"}]}})
        self.api.create("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "no-deployments"},
            "spec": {"policyName": "no-deployments", "validationActions": ["Deny"]}})

        def refuses():
            try:
                self.api.create(objects.CHILDREN["deployment"] + "?dryRun=All", {
                    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "refused"},
                    "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
                        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
            except ApiError:
                return True
            return False

        try:
            eventually("the policy is in force", refuses, 60)
            operator = self.operator()
            self.create("refused")
            found = self.wait_for_condition("refused", "Ready", "False", "ChildRejected")
            self.assertIn("not this one", found["message"])
            self.wait_for_children("refused", kinds=("configmap", "hpa", "service", "networkpolicy"))
            self.wait_settled(operator)
            self.cluster.audit.mark()
            stays("a refused child is not asked for in a loop",
                  lambda: len(self.cluster.audit.writes("deployments", accepted_only=False)) <= 1, 3)
        finally:
            self.api.delete("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/no-deployments")
            self.api.delete("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/no-deployments")


class Deletion(ClusterTest):
    cluster_arguments = {"controllers": ("garbage-collector-controller",)}

    def gone(self, name):
        return all(self.child(kind, name) is None for kind in objects.CHILDREN)

    def test_background_and_foreground(self):
        self.operator()
        for how in ("Background", "Foreground"):
            with self.subTest(how):
                self.create("api")
                self.wait_for_children("api")
                self.api.delete(objects.path("api"), {"propagationPolicy": how})
                eventually("all is gone", lambda: self.api.find(objects.path("api")) is None and self.gone("api"))

    def test_orphans_stay_and_are_adopted_again(self):
        operator = self.operator()
        self.create("api")
        before = self.wait_for_children("api")
        self.api.delete(objects.path("api"), {"propagationPolicy": "Orphan"})
        eventually("it is gone", lambda: self.api.find(objects.path("api")) is None)
        self.wait_settled(operator)
        for kind, one in self.children("api").items():
            self.assertEqual(one["metadata"]["uid"], before[kind]["metadata"]["uid"])
            self.assertFalse(one["metadata"].get("ownerReferences"), kind)
        made = self.create("api")
        for kind in before:
            eventually(f"the {kind} is adopted", lambda: [o["uid"] for o in self.child(kind, "api")["metadata"].get(
                "ownerReferences", [])] == [made["metadata"]["uid"]])
        self.assertEqual(self.child("service", "api")["metadata"]["uid"], before["service"]["metadata"]["uid"])

    def test_delete_and_recreate_in_a_hurry(self):
        operator = self.operator()
        for _ in range(20):
            self.create("api")
            self.api.delete(objects.path("api"))
        last = self.create("api", "last.example.com")

        def whole():
            found = self.children("api")
            return all([o["uid"] for o in one["metadata"]["ownerReferences"]] == [last["metadata"]["uid"]]
                       for one in found.values()) and not any(
                           one["metadata"].get("deletionTimestamp") for one in found.values())

        eventually("the last one has all its children", whole, 60)
        self.wait_settled(operator)
        self.assertTrue(whole())
        figure("writes for 20 hurried deletions and re-creations", len(self.cluster.audit.writes()))


if __name__ == "__main__":
    main()
