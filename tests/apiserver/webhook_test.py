#!/usr/bin/env python3
"""An admission webhook of somebody else's rewrites what the operator writes: nobody argues for ever, and what is wanted
anew reaches the gateway."""
from harness.suite import ClusterTest, eventually, main, objects
from harness.webhook import Webhook

MEMORY = "/spec/template/spec/containers/0/resources/limits/memory"
MOST = 512
MEBIBYTES = {"Gi": 1024, "Mi": 1}


def mebibytes(quantity):
    return int(quantity[:-2]) * MEBIBYTES[quantity[-2:]]


def limit_of(deployment):
    return deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]


def bounded(deployment):
    too_much = mebibytes(limit_of(deployment)) > MOST
    return [{"op": "replace", "path": MEMORY, "value": f"{MOST}Mi"}] if too_much else []


class AWebhookBoundsMemory(ClusterTest):
    def setUp(self):
        super().setUp()
        self.webhook = Webhook(self.api, "deployments", "apps", bounded)
        self.addCleanup(self.webhook.stop)

    def wait_for_limit(self, name, quantity):
        eventually(f"{name} has {quantity}", lambda: limit_of(self.child("deployment", name)) == quantity)

    def limit(self, name, quantity):
        self.api.patch(objects.path(name), {"spec": {"resources": {"limits": {"memory": quantity}}}})

    def writes(self):
        """[(verb, name)] to Deployments since the last mark."""
        return [(one["verb"], one["objectRef"].get("name", "")) for one in self.cluster.audit.writes("deployments")]

    def test_what_it_puts_back_is_left_and_a_new_wish_is_written(self):
        operator = self.operator()
        self.create("a")
        self.wait_for_children("a")
        self.wait_for_limit("a", "512Mi")
        self.wait_settled(operator)
        self.assertEqual([verb for verb, _ in self.writes()], ["create", "patch"], "and that changed nothing")

        # Another one that wants the same: it is known what becomes of it.
        self.cluster.audit.mark()
        self.create("b")
        self.wait_for_children("b")
        self.wait_settled(operator)
        self.assertEqual([verb for verb, _ in self.writes()], ["create"])

        self.limit("a", "256Mi")
        self.wait_for_limit("a", "256Mi")
        self.limit("b", "384Mi")
        self.wait_for_limit("b", "384Mi")
        self.limit("b", "2Gi")
        self.wait_for_limit("b", "512Mi")
        self.wait_settled(operator)
        self.cluster.audit.mark()

        # Somebody's edit is mended, and nobody else's Deployment touched.
        self.api.patch(objects.child("deployment", "b"), {"spec": {"paused": True}})
        eventually("mended", lambda: not self.child("deployment", "b")["spec"].get("paused"))
        self.wait_settled(operator)
        self.assertEqual({name for _, name in self.writes()}, {"b"})
        self.assertEqual(limit_of(self.child("deployment", "b")), "512Mi")

        self.assertEqual(len(operator.log_lines(field=MEMORY)), 1)
        self.assertEqual(operator.metric("egress_operator_ignored_fields_total", field=f"Deployment:{MEMORY}"), 1)


if __name__ == "__main__":
    main()
