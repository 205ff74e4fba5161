#!/usr/bin/env python3
"""Gateways of a cluster whose Services have addresses of both families: which listeners they get, and when."""
from harness.suite import ClusterTest, eventually, figure, main, objects


class DualStack(ClusterTest):
    cluster_arguments = {"apiserver_arguments": ("--service-cluster-ip-range=10.0.0.0/16,fd00:10::/108",), "controllers": ()}

    def settled(self, name, operator):
        self.create(name)
        self.wait_for_children(name)
        self.wait_settled(operator)
        self.assertIn("ipv4Compat: true", self.child("configmap", name)["data"]["envoy.yaml"])

    def templates(self, name):
        """How many pod templates its Deployment has had: generations count the spec's changes."""
        return self.child("deployment", name)["metadata"]["generation"]

    def test_only_the_first_gateway_of_a_cluster_learns_its_families_late(self):
        operator = self.operator()
        self.settled("first", operator)
        self.settled("second", operator)
        figure("pod templates of the first gateway, and of the second",
               f"{self.templates('first')}, {self.templates('second')}")
        self.assertEqual(self.templates("second"), 1)

    def test_a_service_that_is_made_again_rolls_nothing(self):
        operator = self.operator()
        self.settled("api", operator)
        before = self.templates("api")
        uid = self.child("service", "api")["metadata"]["uid"]
        self.cluster.audit.mark()
        self.api.delete(objects.child("service", "api"))
        eventually("the Service is back", lambda: self.child("service", "api")["metadata"]["uid"] != uid)
        self.wait_settled(operator)
        self.assertEqual(self.templates("api"), before)
        self.assertEqual(self.cluster.audit.writes("configmaps"), [])
        self.assertEqual(len(self.cluster.audit.writes("services")), 1)


if __name__ == "__main__":
    main()
