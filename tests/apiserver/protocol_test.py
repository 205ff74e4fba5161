#!/usr/bin/env python3
"""What happens to API servers: after each the state converges, and the DNS answers never stop."""
import itertools
import os
import shutil
import subprocess
import time
import urllib.parse

from harness.dns import SERVFAIL, Watch
from harness.etcd import compact
from harness.older import OURS
from harness.proxy import Proxy
from harness.servers import ROOT
from harness.suite import ClusterTest, eventually, figure, main, objects
from harness.throttle import throttled
from soak.upstream import ADDRESS, Upstream

RESOURCES = ["externalservices"] + [at.rsplit("/", 1)[1] for at in objects.CHILDREN.values()]


class ProtocolTest(ClusterTest):
    """What is asked for all the time is always answered, and rightly."""

    def setUp(self):
        super().setUp()
        self.steady, self.watched = None, []

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
        self.steady = self.watch(operator, "steady.example.com", self.address)

    def watch(self, operator, name, *expected):
        made = Watch(operator.dns_port, name, *expected)
        self.watched.append(made)
        made.start()
        self.addCleanup(made.stop)
        return made

    def tearDown(self):
        try:
            # What converged within a moment is over before it was asked for a dozen times.
            eventually("enough answers", lambda: self.least_asked() > 10 or any(one.wrong for one in self.watched), 20, every=0.05)
            for one in self.watched:
                one.stop()
            for one in self.watched:
                self.assertEqual(one.wrong, [], f"{one.name}: of {one.asked} answers")
            self.assertGreater(self.least_asked(), 10)
        finally:
            super().tearDown()

    def least_asked(self):
        """Answers about the name that was asked for least."""
        return min((sum(one.asked for one in self.watched if one.name == name) for name in {one.name for one in self.watched}), default=0)


class Faults(ProtocolTest):
    cluster_arguments = {"controllers": ("garbage-collector-controller",)}

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

    def test_writes_of_an_edit_that_was_taken_back_come_late(self):
        way = Proxy(self.cluster.port)
        self.addCleanup(way.close)
        operator = self.operator(api_port=way.port)
        self.create("steady", "steady.example.com")
        self.wait_for_children("steady")
        self.set_ready("steady")
        self.address = eventually("hijacked", lambda: operator.address("steady.example.com"))
        self.wait_settled(operator)
        self.watch_dns(operator)
        for i in range(5):
            self.cluster.audit.mark()
            way.hold("there")
            self.api.patch(objects.path("steady"), {"spec": {"dnsName": f"other-{i}.example.com"}})
            eventually("it writes", lambda: operator.metric("controller_runtime_active_workers") == 1)
            known = operator.metric("workqueue_adds_total")
            self.api.patch(objects.path("steady"), {"spec": {"dnsName": "steady.example.com"}})
            eventually("it knows", lambda known=known: operator.metric("workqueue_adds_total") > known)
            way.release()
            self.wait_settled(operator)
            self.assertGreater(len(self.cluster.audit.writes("services")), 1, "there and back")
        self.assertEqual(self.child("service", "steady")["metadata"]["annotations"]["egress.monzo.com/dns-name"],
                         "steady.example.com")

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
            compact(self.cluster)
            self.cluster.restart_apiserver()
        finally:
            operator.resume()
        self.watch_dns(operator)
        eventually("the deleted child is back", lambda: self.child("hpa", "steady"), 90)
        # Within the stream, so that the audit log has 200 for it.
        gone = [one for one in operator.log_lines() if "too old resource version" in one.get("error", "")]
        self.assertTrue(gone, "no 410 came")
        figure("kinds whose watch ended with 410", len({one["kind"] for one in gone}))
        self.converges(operator, "after", "compaction and an API server restart")

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

    def remove_definition(self):
        self.api.delete(OURS)
        eventually("the definition is gone", lambda: self.api.find(OURS) is None)

    def install_definition(self):
        self.cluster.kubectl("apply", "-f", f"{ROOT}/deploy/crd/externalservices.yaml")
        eventually("it is served", lambda: self.api.get(objects.EXTERNAL_SERVICES))

    def hijacks(self, operator, name):
        self.create(name)
        self.wait_for_children(name)
        self.set_ready(name)
        address = self.child("service", name)["spec"]["clusterIP"]
        eventually("hijacked", lambda: operator.address(f"{name}.example.com") == address)
        return address

    def test_the_definition_comes_late_goes_and_comes_again(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.remove_definition()
        operator = self.operator(wait=False, upstream=upstream.port)
        eventually("readiness says what to do", lambda: "install its definition" in operator.page("/readyz?verbose")[1])
        eventually("DNS answers", lambda: operator.ask("any.example.com"))
        unknown = self.watch(operator, "any.example.com", (SERVFAIL, []))
        eventually("a while has passed", lambda: unknown.asked > 100)
        unknown.stop()
        self.install_definition()
        operator.wait_until_ready(60)
        self.watch(operator, "other.example.com", ADDRESS)
        address = self.hijacks(operator, "api-1")
        # Its ExternalService goes with the definition, and when that is heard of is not said.
        self.watch(operator, "api-1.example.com", address, ADDRESS)
        self.remove_definition()
        # DNS goes on with what it knows, and whoever asks it is not sent away.
        waiting = {"part": "informer/ExternalService"}
        eventually("it is told", lambda: operator.metric("egress_operator_part_ready", **waiting) == 0, 60)
        self.assertTrue(operator.is_ready())
        self.install_definition()
        eventually("it is known again", lambda: operator.metric("egress_operator_part_ready", **waiting) == 1, 60)
        self.hijacks(operator, "api-2")
        eventually("what went with the definition is not hijacked any more",
                   lambda: operator.address("api-1.example.com") == ADDRESS)
        missing = [one for one in operator.log_lines() if "install its definition" in one["msg"]]
        figure("log lines about a missing definition, in two absences", len(missing))
        self.assertEqual(len(missing), 2, missing)

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
        self.cluster.replace_certificates()
        self.cluster.manager.kill()
        self.cluster.start_manager()
        self.converges(operator, "after", "serving certificate and CA replaced")

    def test_priority_and_fairness(self):
        operator = self.begin()
        number = itertools.count()

        def many():
            for _ in range(20):
                self.create(f"many-{next(number)}")
            return operator.metric("rest_client_requests_total", code="429") > 0

        with throttled(self.api):
            eventually("the operator gets 429", many, 60, 0.2)
        figure("429s while the flow schema was in force", int(operator.metric("rest_client_requests_total", code="429")))
        self.converges(operator, "after", "429 from API Priority and Fairness")


class Watches(ProtocolTest):
    """How watches end and go on; the audit log has what each asked for."""
    cluster_arguments = {"controllers": ()}

    def asked_for(self, verb, resource):
        """The queries of the requests that have ended, oldest first."""
        return [urllib.parse.parse_qs(urllib.parse.urlsplit(one["requestURI"]).query)
                for one in self.cluster.audit.entries()
                if one["stage"] == "ResponseComplete" and one["verb"] == verb
                and one["objectRef"]["resource"] == resource]

    def until_expired(self, times):
        """Every watch so often. Nothing of the operator's kinds changes meanwhile, but the server's version goes on, and
        only bookmarks tell of it. Gives the object that was created first."""
        other = self.api.create("/api/v1/namespaces/default/configmaps", {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "other-"}})

        def gone_on():
            self.api.patch(f"/api/v1/namespaces/default/configmaps/{other['metadata']['name']}",
                           {"metadata": {"annotations": {"n": str(time.monotonic())}}})
            return min(len(self.asked_for("watch", resource)) for resource in RESOURCES) >= times

        eventually(f"every watch has expired {times} times", gone_on, 120, 0.2)
        return other

    def test_watches_that_expire_go_on_from_the_last_bookmark(self):
        operator = self.begin("--kube-watch-timeout=10s")
        self.wait_settled(operator)
        self.cluster.audit.mark()
        began = time.monotonic()
        other = self.until_expired(3)
        for resource in RESOURCES:
            # The entry of the first one, which began with all objects, was written when it ended.
            first, *later = self.asked_for("watch", resource)
            self.assertIn("sendInitialEvents", first)
            versions = [int(one["resourceVersion"][0]) for one in later]
            self.assertEqual(versions, sorted(versions), resource)
            self.assertGreater(versions[-1], int(other["metadata"]["resourceVersion"]), f"{resource}: no bookmark")
            self.assertEqual(self.asked_for("list", resource), [], f"{resource} is not listed again")
        self.api.delete(objects.child("service", "steady"))
        eventually("a deleted child is back", lambda: self.child("service", "steady"))
        figure("watches that expired, in how long, and lists after them", ", ".join((
            str(sum(len(self.asked_for("watch", resource)) for resource in RESOURCES)),
            f"{time.monotonic() - began:.0f} s", "none")))

    def test_lists_come_page_by_page_when_asked_to(self):
        operator = self.begin("--kube-paged-lists", "--kube-watch-timeout=10s")
        self.wait_settled(operator)
        self.until_expired(1)
        for resource in RESOURCES:
            self.assertEqual([one["limit"] for one in self.asked_for("list", resource)], [["500"]], resource)
            for watch in self.asked_for("watch", resource):
                self.assertNotIn("sendInitialEvents", watch)

    def test_long_lists_come_page_by_page(self):
        configmaps = objects.CHILDREN["configmap"]
        self.addCleanup(self.api.delete, f"{configmaps}?labelSelector=other")
        for i in range(1001):
            self.api.create(configmaps, {
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"other-{i}", "labels": {"other": "yes"}}})
        operator = self.begin("--kube-watch-timeout=10s")
        self.wait_settled(operator)
        self.until_expired(1)
        for resource in RESOURCES:
            # How many there are is asked without a selector: the server does not count what it selects.
            size, *pages = self.asked_for("list", resource)
            self.assertEqual((size["limit"], size.get("labelSelector")), (["1"], None), resource)
            first, *_ = self.asked_for("watch", resource)
            if resource == "configmaps":
                self.assertEqual([one["limit"] for one in pages], [["500"]])
                self.assertNotIn("sendInitialEvents", first)
            else:
                self.assertEqual(pages, [], resource)
                self.assertIn("sendInitialEvents", first, resource)


class PagedLists(ProtocolTest):
    """A server without streaming lists, whose pages come out of etcd."""
    cluster_arguments = {"controllers": (), "apiserver_arguments": (
        "--feature-gates=WatchList=false,ListFromCacheSnapshot=false",)}

    def test_a_list_that_spans_a_compaction_begins_again(self):
        saved = f"--dns-snapshot={self.cluster.folder}/table"
        first = self.begin(saved)
        self.steady.stop()
        first.stop()
        for i in range(600):
            self.create(f"paged-{i:03}")
        way = Proxy(self.cluster.port)
        self.addCleanup(way.close)
        way.bytes_a_second = 8 * 1024
        self.cluster.audit.mark()
        operator = self.operator(saved, api_port=way.port, wait=False, name="second")
        operator.wait_until_ready()
        self.watch_dns(operator)

        def pages(**status):
            return [one for one in self.cluster.audit.entries()
                    if one["verb"] == "list" and one["objectRef"]["resource"] == "externalservices"
                    and "limit=500" in one["requestURI"] and ("continue=" in one["requestURI"]) == status["continued"]
                    and one["responseStatus"]["code"] == status["code"]]

        # The first page is on its slow way when what it is a page of goes from etcd.
        eventually("the first page is asked for", lambda: pages(continued=False, code=200))
        way.hold("there")
        self.assertEqual(pages(continued=True, code=200), [])
        for i in range(10):
            self.create(f"later-{i}")
        compact(self.cluster)
        way.bytes_a_second = None
        way.release()
        eventually("the next page is gone", lambda: pages(continued=True, code=410), 60)
        began = time.monotonic()
        eventually("all have their children", lambda: all(
            len(self.api.items(at)) >= 611 for kind, at in objects.CHILDREN.items() if kind != "pdb"), 120, 0.5)
        self.assertGreaterEqual(len(pages(continued=True, code=200)), 1)
        figure("a list that spans a compaction: 410s, and converged with 611 after",
               f"{len(pages(continued=True, code=410))}, {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
