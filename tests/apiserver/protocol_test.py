#!/usr/bin/env python3
"""What happens to API servers: after each the state converges, and the DNS answers never stop."""
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request

from harness.certificates import Authority
from harness.dns import Watch
from harness.older import OURS
from harness.servers import ROOT
from harness.suite import ApiError, ClusterTest, eventually, figure, main, objects


class Faults(ClusterTest):
    cluster_arguments = {"controllers": ("garbage-collector-controller",)}

    def setUp(self):
        super().setUp()
        self.steady = None

    def begin(self, *flags):
        """An operator with one hijacked name, which is asked for until the end of the test."""
        operator = self.operator(*flags)
        self.create("steady", "steady.example.com")
        self.wait_for_children("steady")
        self.set_ready("steady")
        self.address = eventually("hijacked", lambda: operator.address("steady.example.com"))
        self.watch_dns(operator)
        return operator

    def watch_dns(self, operator):
        self.steady = Watch(operator.dns_port, "steady.example.com", self.address)
        self.steady.start()
        self.addCleanup(self.steady.stop)

    def tearDown(self):
        try:
            if self.steady:
                self.steady.stop()
                self.assertEqual(self.steady.wrong, [], f"of {self.steady.asked} answers")
                self.assertGreater(self.steady.asked, 10)
        finally:
            super().tearDown()

    def converges(self, operator, name, what, seconds=90):
        """A change made now reaches the children."""
        began = time.monotonic()
        self.create(name)
        eventually(f"{name} has its children", lambda: self.children(name), seconds)
        self.api.delete(objects.child("configmap", "steady"))
        eventually("a deleted child is back", lambda: self.child("configmap", "steady"), seconds)
        eventually("ready", operator.is_ready, seconds)
        figure(f"{what}: converged after", f"{time.monotonic() - began:.1f} s")

    def test_api_server_killed_and_restarted_during_load(self):
        operator = self.begin()
        for i in range(50):
            self.create(f"load-{i}")
        self.cluster.restart_apiserver()
        eventually("all have their children", lambda: all(
            len(self.api.items(at)) >= 51 for kind, at in objects.CHILDREN.items() if kind != "pdb"), 90, 0.5)
        self.converges(operator, "after", "API server killed during load")

    def test_api_server_hung(self):
        operator = self.begin()
        self.cluster.apiserver.pause()
        began = time.monotonic()
        eventually("a while has passed", lambda: time.monotonic() - began > 20)
        self.cluster.apiserver.resume()
        self.converges(operator, "after", "API server hung for 20 s")

    def test_etcd_restarted(self):
        operator = self.begin()
        self.cluster.etcd.kill()
        self.cluster.start_etcd()
        self.cluster.wait_for_apiserver()
        self.converges(operator, "after", "etcd killed and restarted")

    def test_compaction_while_the_watch_is_away(self):
        operator = self.begin()
        # Stopped, the process answers no DNS either.
        self.steady.stop()
        operator.pause()
        try:
            for i in range(20):
                self.api.patch(objects.path("steady"), {"metadata": {"annotations": {"n": str(i)}}})
            self.api.delete(objects.child("hpa", "steady"))
            revision = int(self.api.get(objects.EXTERNAL_SERVICES)["metadata"]["resourceVersion"])
            self.compact(revision)
            self.cluster.restart_apiserver()
        finally:
            operator.resume()
        self.watch_dns(operator)
        eventually("the deleted child is back", lambda: self.child("hpa", "steady"), 90)
        self.converges(operator, "after", "compaction and an API server restart")

    def compact(self, revision):
        body = json.dumps({"revision": str(revision), "physical": True}).encode()
        urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{self.cluster.etcd_port}/v3/kv/compaction", body), timeout=20).read()

    def test_etcd_restored_to_an_older_state(self):
        operator = self.begin()
        self.wait_settled(operator)
        self.cluster.apiserver.kill()
        self.cluster.etcd.stop()
        saved = f"{self.cluster.folder}/etcd.saved"
        shutil.copytree(f"{self.cluster.folder}/etcd", saved)
        self.cluster.start_etcd()
        self.cluster.start_apiserver()
        for i in range(30):
            self.create(f"later-{i}")
        eventually("they have their children", lambda: self.children("later-29"), 60)
        self.wait_settled(operator)
        self.cluster.apiserver.kill()
        self.cluster.etcd.kill()
        shutil.rmtree(f"{self.cluster.folder}/etcd")
        os.rename(saved, f"{self.cluster.folder}/etcd")
        self.cluster.start_etcd()
        self.cluster.start_apiserver()
        self.assertIsNone(self.api.find(objects.path("later-29")))
        self.converges(operator, "after", "etcd restored to an older state")
        eventually("what is not there any more is forgotten", lambda: "later-29" not in operator.page("/statusz")[1], 60)

    def test_the_definition_comes_late_goes_and_comes_again(self):
        self.remove_all()
        definition = self.api.get(OURS)
        self.api.delete(OURS)
        eventually("the definition is gone", lambda: self.api.find(OURS) is None)
        operator = self.operator(wait=False)
        eventually("readiness says what to do", lambda: "install its definition" in operator.page("/readyz?verbose")[1])
        for round in (1, 2):
            self.cluster.kubectl("apply", "-f", f"{ROOT}/deploy/crd/externalservices.yaml")
            eventually("it is served", lambda: self.api.get(objects.EXTERNAL_SERVICES))
            operator.wait_until_ready(60)
            self.create(f"api-{round}")
            self.wait_for_children(f"api-{round}")
            if round == 1:
                self.api.delete(OURS)
                eventually("it is gone", lambda: self.api.find(OURS) is None)
                eventually("unready", lambda: not operator.is_ready(), 60)
        missing = [one for one in operator.log_lines() if "install its definition" in one["msg"]]
        figure("log lines about a missing definition, in two absences", len(missing))
        self.assertEqual(definition["metadata"]["name"], self.api.get(OURS)["metadata"]["name"])

    def test_a_token_that_is_refused_is_read_again(self):
        operator = self.begin()
        # All tokens of the old key are void at once, as when a service account is made anew.
        good = f"{self.cluster.folder}/sa.key"
        subprocess.run(["openssl", "genrsa", "-out", good, "2048"], check=True, stderr=subprocess.DEVNULL)
        self.cluster.restart_apiserver()
        eventually("the operator is refused", lambda: operator.metric("rest_client_requests_total", code="401") > 0, 60)
        operator.write_token(self.cluster.operator_token())
        self.converges(operator, "after", "token revoked and renewed")

    def test_the_serving_certificate_and_its_authority_are_replaced(self):
        operator = self.begin()
        self.cluster.authority = Authority(self.cluster.folder, "ca2")
        # As a mounted ConfigMap changes: the file the operator was given has new content.
        os.replace(self.cluster.authority.certificate, f"{self.cluster.folder}/ca.crt")
        self.cluster.authority.certificate = f"{self.cluster.folder}/ca.crt"
        self.cluster.authority.issue(self.cluster.certificate, self.cluster.key)
        self.cluster.apiserver.kill()
        self.api.trust(self.cluster.authority.certificate)
        self.cluster.start_apiserver()
        self.cluster.manager.kill()
        self.cluster.start_manager()
        self.converges(operator, "after", "serving certificate and CA replaced")

    def test_priority_and_fairness(self):
        operator = self.begin()
        self.api.create("/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations", {
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration",
            "metadata": {"name": "tight"}, "spec": {"type": "Limited", "limited": {
                "nominalConcurrencyShares": 0, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}}})
        self.api.create("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", {
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": "tight"},
            "spec": {"priorityLevelConfiguration": {"name": "tight"}, "matchingPrecedence": 2,
                     "rules": [{"subjects": [{"kind": "ServiceAccount", "serviceAccount": {
                         "namespace": objects.NAMESPACE, "name": "egress-operator"}}],
                         "resourceRules": [{"verbs": ["create", "patch"], "apiGroups": ["*"], "resources": ["*"],
                                            "namespaces": ["*"], "clusterScope": True}]}]}})
        try:
            # One request at a time is let in, whatever the limit: so there must be many.
            def many():
                for _ in range(20):
                    self.create(f"many-{next(number)}")
                return operator.metric("rest_client_requests_total", code="429") > 0

            number = itertools.count()
            eventually("the operator gets 429", many, 60, 0.2)
        finally:
            self.api.delete("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/tight")
            self.api.delete("/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/tight")
        figure("429s while the flow schema was in force", int(operator.metric("rest_client_requests_total", code="429")))
        self.converges(operator, "after", "429 from API Priority and Fairness")


if __name__ == "__main__":
    main()
