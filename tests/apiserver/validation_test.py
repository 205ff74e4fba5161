#!/usr/bin/env python3
"""What cannot work is refused, by us with a condition and an Event, by the definition's rules before that; what an
older definition has stored stays readable and writable."""
import copy

from harness import dns
from harness.older import DEFINITION, DEFINITIONS
from harness.servers import ROOT
from harness.suite import ApiError, ClusterTest, eventually, figure, main, objects
from harness.waiting import stays

# Bad, and yet stored by the older definition: the spec, the reason we give, and how the message begins.
BAD = {
    "no-name": ({"dnsName": "", "ports": [{"port": 443}]}, "InvalidDNSName", "spec.dnsName is missing"),
    "no-host": ({"dnsName": "a_b.example.com", "ports": [{"port": 443}]}, "InvalidDNSName",
                'spec.dnsName "a_b.example.com" is no host name'),
    "no-ports": ({"dnsName": "a.example.com", "ports": []}, "NoPorts", "spec.ports is empty"),
    "no-spec": ({}, "InvalidDNSName", "spec.dnsName is missing"),
    "port-zero": ({"dnsName": "b.example.com", "ports": [{"port": 0}]}, "InvalidPort",
                  "spec.ports[0].port is 0: must be from 1 to 65535"),
    "port-high": ({"dnsName": "c.example.com", "ports": [{"port": 65536}]}, "InvalidPort",
                  "spec.ports[0].port is 65536: must be from 1 to 65535"),
    "port-twice": ({"dnsName": "d.example.com", "ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}]}, "DuplicatePort",
                   "spec.ports[1] repeats 1/TCP"),
    "lower-case": ({"dnsName": "e.example.com", "ports": [{"port": 1, "protocol": "tcp"}]}, "InvalidProtocol",
                   'spec.ports[0].protocol is "tcp": must be TCP or UDP'),
    "no-address": ({"dnsName": "f.example.com", "ports": [{"port": 1}], "ipOverride": ["somewhere"]}, "InvalidIPOverride",
                   'spec.ipOverride[0] is "somewhere": must be an IPv4 or IPv6 address'),
    "min-above": ({"dnsName": "g.example.com", "ports": [{"port": 1}], "minReplicas": 5, "maxReplicas": 4}, "InvalidReplicas",
                  "spec.minReplicas 5 is more than spec.maxReplicas 4"),
    "no-replicas": ({"dnsName": "h.example.com", "ports": [{"port": 1}], "minReplicas": 0}, "InvalidReplicas",
                    "spec.minReplicas is 0: must be from 1 to 2147483647"),
    "no-conns": ({"dnsName": "i.example.com", "ports": [{"port": 1}], "envoyClusterMaxConnections": 0}, "InvalidMaxConnections",
                 "spec.envoyClusterMaxConnections is 0: must be from 1 to 4294967295"),
    "a.dot": ({"dnsName": "j.example.com", "ports": [{"port": 1}]}, "InvalidName",
              'metadata.name "a.dot" cannot name a Service'),
    "n" * 60: ({"dnsName": "k.example.com", "ports": [{"port": 1}]}, "NameTooLong",
               "the label egress.monzo.com/allowed-" + "n" * 60 + " has 68 characters behind the slash"),
    "p" * 54: ({"dnsName": "l.example.com", "ports": [{"port": 443}, {"port": 65535}]}, "NameTooLong",
               "the Service's port name " + "p" * 54 + "-tcp-65535 has 64 characters"),
    "long-host": ({"dnsName": ".".join(["h" * 63] * 4), "ports": [{"port": 1}]}, "InvalidDNSName", 'spec.dnsName "hhh'),
}


def bad(name):
    return {"apiVersion": "egress.monzo.com/v1", "kind": "ExternalService", "metadata": {"name": name},
            "spec": copy.deepcopy(BAD[name][0])}


class OlderDefinition(ClusterTest):
    """Stored under the older definition, then ours is installed over it."""

    cluster_arguments = {"deploy": None, "controllers": ()}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api.create(DEFINITIONS, DEFINITION)
        eventually("the older definition is served", lambda: cls.api.get(objects.EXTERNAL_SERVICES))
        cls.cluster.kubectl("apply", "-k", f"{ROOT}/deploy/base")

    def tearDown(self):
        # What one test stored the next one needs.
        self.end_operators()
        self.assert_nothing_was_forbidden()

    def test_1_with_the_older_definition_all_but_the_status_works(self):
        operator = self.operator()
        for name in ("good", "other"):
            self.create(name)
            self.wait_for_children(name)
        eventually("a clear line says so", lambda: operator.log_lines(msg="no status can be written", level="warn"))
        self.wait_settled(operator)
        self.assertEqual(len(operator.log_lines(msg="no status can be written")), 1)
        told = self.events("good") + self.events("other")
        self.assertEqual([(one[:2], one[3]) for one in told], [(("Warning", "StatusUnavailable"), 1)])
        self.assertIn("the definition of ExternalService has no status subresource", told[0][2])
        self.assertEqual(operator.metric("egress_operator_ignored_fields_total", field="ExternalService:/status"), 1)
        self.cluster.audit.mark()
        self.assertEqual(self.api.get(objects.path("good"))["metadata"]["generation"], 1)
        stays("no status is written through the object itself", lambda: not self.cluster.audit.writes("externalservices"), 1)

    def test_2_stored_objects_stay_writable_under_ours(self):
        for name in BAD:
            self.api.create(objects.EXTERNAL_SERVICES, bad(name))
        self.cluster.kubectl("apply", "-f", f"{ROOT}/deploy/crd/externalservices.yaml")
        # The new schema is in force when it refuses a new one.
        eventually("ours is in force", lambda: self.refused_early("port-zero"))
        operator = self.operator()
        for name, (_, reason, message) in BAD.items():
            with self.subTest(name):
                found = self.wait_for_condition(name, "Accepted", "False", reason)
                self.assertTrue(found["message"].startswith(message), found["message"])
                eventually("an Event says so", lambda: self.events(name) == [("Warning", reason, found["message"], 1)])
                self.wait_for_condition(name, "Ready", "False")
                at = objects.path(name)
                self.api.patch(at, {"metadata": {"annotations": {"note": "x"}}})
                self.api.patch(at, {"spec": {"envoyLogLevel": "debug"}})
                self.api.patch(at, {"metadata": {"finalizers": ["example.com/keep"]}})
                self.api.patch(at, {"metadata": {"finalizers": []}})
                self.api.patch(at + "/status", {"status": {"configHash": "x"}})
                for kind in objects.CHILDREN:
                    self.assertIsNone(self.child(kind, name), "no half-made children")
        self.wait_for_condition("good", "Accepted", "True")
        self.wait_settled(operator)
        self.cluster.audit.mark()
        stays("nothing loops", lambda: not self.cluster.audit.writes(accepted_only=False), 2)
        for name, (_, reason, _) in BAD.items():
            self.assertEqual([(one[:2], one[3]) for one in self.events(name)], [(("Warning", reason), 1)], name)

    def refused_early(self, name):
        one = bad(name)
        one["metadata"]["name"] = "early"
        try:
            self.api.create(objects.EXTERNAL_SERVICES + "?dryRun=All", one)
        except ApiError as error:
            return error if error.status == 422 else False
        return False


class Validation(ClusterTest):
    def test_new_ones_are_refused_early(self):
        refused = 0
        for name in BAD:
            with self.subTest(name):
                try:
                    self.api.create(objects.EXTERNAL_SERVICES + "?dryRun=All", bad(name))
                except ApiError as error:
                    self.assertEqual(error.status, 422)
                    refused += 1
        self.assertEqual(refused, len(BAD))
        figure("bad objects refused by the definition's rules", f"{refused} of {len(BAD)}")

    def test_addresses_and_ranges_are_judged_by_the_definition(self):
        def status_of(**spec):
            try:
                self.api.create(objects.EXTERNAL_SERVICES + "?dryRun=All", objects.external_service("judged", **spec))
            except ApiError as error:
                return error.status
            return 201

        for good in ("192.0.2.1", "2001:db8::1"):
            self.assertEqual(status_of(ipOverride=[good]), 201, good)
        for bad_one in ("192.0.2.256", "host", "192.0.2.0/24", ""):
            self.assertEqual(status_of(ipOverride=["192.0.2.1", bad_one]), 422, bad_one)
        for good in ("10.0.0.0/8", "fd00::/8"):
            self.assertEqual(status_of(dnsClients=[good]), 201, good)
        for bad_one in ("10.0.0.1", "10.0.0.0/33", "everybody"):
            self.assertEqual(status_of(dnsClients=[bad_one]), 422, bad_one)

    def test_what_the_rules_let_pass_is_refused_with_an_event(self):
        self.operator()
        self.create("api", resources={"requests": {"cpu": "3"}, "limits": {"cpu": "1"}})
        found = self.wait_for_condition("api", "Accepted", "False", "InvalidResources")
        self.assertEqual(self.condition("api", "Stalled")["status"], "True")
        eventually("an Event says so", lambda: self.events("api") == [("Warning", "InvalidResources", found["message"], 1)])

    def test_names_about_the_clusters_own_domain(self):
        operator = self.operator("--cluster-domain=k8s.example.com")
        # Below it is what only the cluster answers for; a wildcard above it meets what its pods search for.
        self.create("inside", "db.prod.svc.K8s.example.com.")
        self.create("above", "*.example.com")
        found = self.wait_for_condition("inside", "Accepted", "False", "ClusterName")
        eventually("an Event says so", lambda: self.events("inside") == [("Warning", "ClusterName", found["message"], 1)])
        self.assertIsNone(self.child("service", "inside"))
        covered = self.wait_for_condition("above", "SearchDomainCovered", "True")
        self.assertIn("k8s.example.com", covered["message"])
        self.wait_for_children("above")
        self.set_ready("above")
        address = self.child("service", "above")["spec"]["clusterIP"]
        eventually("the wildcard is hijacked", lambda: operator.address("any.example.com") == address)
        self.assertNotEqual(operator.ask("db.prod.svc.k8s.example.com"), (dns.NOERROR, [address]))

    def test_one_dns_name_twice(self):
        operator = self.operator()
        self.create("first", "Same.Example.com")
        self.wait_for_children("first")
        # Of two that were created within one second the name decides.
        eventually("another second", lambda: self.created_now() > self.api.get(
            objects.path("first"))["metadata"]["creationTimestamp"])
        self.create("second", "same.example.com.")
        found = self.wait_for_condition("second", "Accepted", "False", "DNSNameTaken")
        self.assertTrue(found["message"].startswith('spec.dnsName "same.example.com." belongs to ExternalService first'),
                        found["message"])
        eventually("an Event says so", lambda: self.events("second") == [("Warning", "DNSNameTaken", found["message"], 1)])
        self.assertIsNone(self.child("service", "second"))
        self.api.delete(objects.path("first"))
        self.wait_for_condition("second", "Accepted", "True")
        self.wait_for_children("second")
        self.set_ready("second")
        eventually("it has the name", lambda: operator.address("same.example.com") ==
                   self.child("service", "second")["spec"]["clusterIP"])

    def created_now(self):
        return self.api.create(objects.EXTERNAL_SERVICES + "?dryRun=All", objects.external_service(
            "clock"))["metadata"]["creationTimestamp"]

    def test_an_accepted_one_that_becomes_bad_keeps_its_children(self):
        operator = self.operator()
        self.create("api", "api.example.com")
        self.wait_for_children("api")
        self.set_ready("api")
        address = eventually("hijacked", lambda: operator.address("api.example.com"))
        # A name with resources that no container can have: the rules do not see it.
        self.api.patch(objects.path("api"), {"spec": {"resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "1"}}}})
        self.wait_for_condition("api", "Accepted", "False", "InvalidResources")
        self.children("api")
        self.assertEqual(operator.address("api.example.com"), address)
        self.api.patch(objects.path("api"), {"spec": {"resources": None}})
        self.wait_for_condition("api", "Accepted", "True")


if __name__ == "__main__":
    main()
