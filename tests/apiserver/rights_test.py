#!/usr/bin/env python3
"""The rights of deploy/ are enough, each of them is needed, and a missing one is said and harms nothing else."""
from harness.audit import instant
from harness.servers import USER
from harness.suite import ClusterTest, eventually, figure, main, objects, slack

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GATEWAYS = f"{RBAC}/namespaces/{objects.NAMESPACE}/roles/egress-operator-gateways"
ROLES = (f"{RBAC}/clusterroles/egress-operator", GATEWAYS,
         f"{RBAC}/namespaces/default/roles/egress-operator-events",
         f"{RBAC}/namespaces/{objects.NAMESPACE}/roles/egress-operator-lease")
ALL = ("configmap", "deployment", "hpa", "service", "networkpolicy", "pdb")
# Of a run of one ExternalService: itself, four children that are made, and the status.
REASONS = 6


class Rights(ClusterTest):
    cluster_arguments = {"deploy": "deploy/overlays/leader-election"}

    # By the plugin OwnerReferencesPermissionEnforcement.
    ASKED_FOR_BY_ADMISSION = {"update externalservices/finalizers"} | {
        f"delete {at.rsplit('/', 1)[1]}" for at in objects.CHILDREN.values()}

    FLAGS = ("--enable-pod-disruption-budgets", "--enable-leader-election")

    def granted(self):
        """{"create services", …}"""
        return {f"{verb} {resource}" for role in ROLES for rule in self.api.get(role)["rules"]
                for verb in rule["verbs"] for resource in rule["resources"]}

    def used(self):
        made = set()
        for one in self.cluster.audit.entries():
            about = one.get("objectRef")
            if about and one["user"]["username"] == USER and one.get("responseStatus", {}).get("code", 200) != 403:
                subresource = "/" + about["subresource"] if "subresource" in about else ""
                made.add(f"{one['verb']} {about['resource']}{subresource}")
        return made

    def live_through_everything(self):
        """What a deployed operator meets: children made, edited, in the way, and not wanted any more."""
        self.api.create(objects.CHILDREN["configmap"], {
            "apiVersion": "v1", "kind": "ConfigMap", "immutable": True, "data": {"envoy.yaml": "old"},
            "metadata": {"name": "api", "labels": {"app": "egress-gateway", "egress.monzo.com/gateway": "api"}}})
        operator = self.operator(*self.FLAGS)
        self.create("api", configDelivery="Reload")
        self.wait_for_children("api", kinds=ALL)
        self.api.patch(objects.path("api"), {"spec": {"ports": [{"port": 443}, {"port": 8443}]}})
        eventually("ready pods are looked for", lambda: "list endpointslices" in self.used())
        self.api.patch(objects.path("api"), {"spec": {"ports": [{"port": 443}]}})
        for _ in range(6):
            for kind in ALL:
                self.api.patch(objects.child(kind, "api"), {"metadata": {"annotations": None}})
                eventually("mended", lambda: self.child(kind, "api")["metadata"].get("annotations", {}).get(
                    "egress.monzo.com/dns-name"))
        # Out of the watch: its name is taken, so it is read.
        for kind in ALL:
            self.api.patch(objects.child(kind, "api"), {"metadata": {"labels": {"app": None}}})
            eventually("mended", lambda: self.child(kind, "api")["metadata"]["labels"].get("app") == "egress-gateway")
        for _ in range(2):  # the same Event twice
            self.set_ready("api")
            self.wait_for_condition("api", "GatewayReady", "True")
            self.set_ready("api", 0)
            self.wait_for_condition("api", "GatewayReady", "False", "NoReadyReplicas")
        self.wait_settled(operator)
        second = self.operator("--enable-leader-election", name="second")
        operator.stop()
        operator = second
        eventually("the budget is not wanted any more", lambda: self.child("pdb", "api") is None)
        self.wait_settled(operator)
        operator.stop()
        self.remove_all()

    def test_all_are_enough_and_each_is_needed(self):
        self.live_through_everything()
        self.assertEqual(self.cluster.audit.forbidden(), [])
        used = self.used()
        # A server without streaming lists: every kind is listed.
        self.cluster.restart_apiserver(True, "--feature-gates=WatchList=false")
        self.cluster.audit.mark()
        self.live_through_everything()
        self.assertEqual(self.cluster.audit.forbidden(), [])
        used |= self.used()
        # In no request of their own: the tests below show that each is needed.
        granted = {right for right in self.granted() if right not in self.ASKED_FOR_BY_ADMISSION}
        used -= self.ASKED_FOR_BY_ADMISSION
        self.assertEqual(granted - used, set(), "rights that nothing uses")
        figure("rights granted, all of them used", len(self.granted()))

    def without(self, role, resource, verbs):
        """The role without the verbs on the resource; the rules as they were, to put them back."""
        self.forbidden_on_purpose = True
        before = self.api.get(role)["rules"]
        after = [{**rule, "verbs": [v for v in rule["verbs"] if resource not in rule["resources"] or v not in verbs]}
                 for rule in before]
        self.api.patch(role, {"rules": [rule for rule in after if rule["verbs"]]})
        self.addCleanup(self.api.patch, role, {"rules": before})

    def test_without_the_finalizers_right_children_are_refused_and_the_status_says_so(self):
        self.without(ROLES[0], "externalservices/finalizers", ("update",))
        operator = self.operator()
        self.create("api")
        found = self.wait_for_condition("api", "Ready", "False")
        self.assertIn("finalizers", found["message"])
        self.assertTrue(operator.metric("rest_client_requests_total", code="403") > 0)

    def test_without_the_right_to_delete_owners_are_not_mended(self):
        operator = self.operator("--enable-pod-disruption-budgets")
        self.create("api")
        self.wait_for_children("api", kinds=ALL)
        for kind in ALL:
            with self.subTest(kind):
                resource = objects.CHILDREN[kind].rsplit("/", 1)[1]
                self.wait_settled(operator)
                self.without(GATEWAYS, resource, ("delete",))
                eventually("the right is gone", lambda: not self.allowed("delete", resource))
                self.cluster.audit.mark()
                self.api.patch(objects.child(kind, "api"), {"metadata": {"ownerReferences": None}})
                eventually("mending is forbidden",
                           lambda: [e["objectRef"]["resource"] for e in self.cluster.audit.forbidden()].count(resource))
                self.doCleanups()
                eventually("mended as soon as it may be", lambda: self.child(kind, "api")["metadata"].get("ownerReferences"), 45)

    def test_one_kind_forbidden_keeps_no_other_back(self):
        for verb in ("create", "patch"):
            with self.subTest(verb):
                operator = self.operator(name=f"may-not-{verb}")
                self.create("first")
                self.wait_for_children("first")
                self.wait_settled(operator)
                self.without(GATEWAYS, "networkpolicies", (verb,))
                eventually("the right is gone", lambda: not self.allowed(verb, "networkpolicies"))
                self.cluster.audit.mark()
                name = self.need(verb)
                found = self.wait_for_condition(name, "Ready", "False", "ChildRejected")
                self.assertIn("forbidden", found["message"])
                self.wait_for_children(name, kinds=("configmap", "deployment", "hpa", "service"))
                self.wait_settled(operator)
                self.is_told_once(operator, name)
                self.is_asked_for_again_after_half_a_minute()
                self.doCleanups()
                self.remove_all()
                operator.kill()

    def need(self, verb):
        """Makes the operator need the right to a NetworkPolicy; for which ExternalService."""
        if verb == "create":
            self.create("api")
            return "api"
        self.api.patch(objects.child("networkpolicy", "first"), {"spec": {"policyTypes": ["Ingress", "Egress"]}})
        return "first"

    def is_told_once(self, operator, name):
        statuses = [one for one in self.cluster.audit.writes("externalservices") if one["objectRef"]["name"] == name]
        self.assertEqual(self.cluster.audit.summary(statuses), {"patch externalservices/status": 1})
        self.assertEqual([one[:2] for one in self.events(name) if one[1] == "ChildRejected"], [("Warning", "ChildRejected")])
        self.assertEqual(operator.metric("rest_client_requests_total", code="403"), len(self.cluster.audit.forbidden()))

    def is_asked_for_again_after_half_a_minute(self):
        """Each news of the object is a reason to ask; without, the back-off is."""
        before = self.cluster.audit.forbidden()
        figure("refusals until all was told", len(before))
        self.assertLessEqual(len(before), REASONS)
        eventually("it is asked for again", lambda: len(self.cluster.audit.forbidden()) > len(before), 30 + slack(5))
        last, again = (instant(one["requestReceivedTimestamp"]) for one in self.cluster.audit.forbidden()[-2:])
        self.assertGreater((again - last).total_seconds(), 29)

    def allowed(self, verb, resource):
        """The authorizer follows roles after a moment."""
        groups = {"networkpolicies": "networking.k8s.io", "deployments": "apps", "poddisruptionbudgets": "policy",
                  "horizontalpodautoscalers": "autoscaling"}
        review = self.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
                "user": USER, "resourceAttributes": {"namespace": objects.NAMESPACE, "verb": verb,
                                                     "group": groups.get(resource, ""), "resource": resource}}})
        return review["status"]["allowed"]

    def test_a_kind_that_may_not_be_listed_is_named_by_readiness(self):
        self.without(GATEWAYS, "deployments", ("list", "watch"))
        operator = self.operator(wait=False)
        eventually("readiness names the kind and the reason",
                   lambda: "Deployment" in operator.page("/readyz?verbose")[1]
                   and "forbidden" in operator.page("/readyz?verbose")[1].lower())
        self.doCleanups()
        operator.wait_until_ready(90)


if __name__ == "__main__":
    main()
