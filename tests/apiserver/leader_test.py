#!/usr/bin/env python3
"""Leader election on a real Lease: one replica writes, all serve DNS, and a straggler's write comes to nothing."""
import itertools
import re
import signal
import time

from harness.lease import LEASE, LeaseLog
from harness.proxy import Proxy
from harness.suite import ClusterTest, eventually, figure, main, objects, slack
from harness.waiting import stays

LEASE_SECONDS = 30
RETRY = 2 * 2.2  # of a candidate, with all its jitter
CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/egress-operator"
REPAIRED = {"metadata": {"annotations": None}}


class Leadership(ClusterTest):
    cluster_arguments = {"deploy": "deploy/overlays/leader-election", "controllers": ("garbage-collector-controller",)}

    def setUp(self):
        super().setUp()
        self.number = itertools.count()
        if self.api.find(LEASE):
            self.api.delete(LEASE)

    def replica(self, *flags, **options):
        return self.operator("--enable-leader-election", *flags, name=f"replica-{next(self.number)}", **options)

    def holder(self):
        return self.api.get(LEASE)["spec"].get("holderIdentity", "")

    def leader(self, among):
        """The replica that says it leads; it is the one the Lease names."""
        def one():
            leading = [r for r in among if r.alive() and r.metric("leader_election_master_status") == 1]
            if len(leading) != 1 or not self.holder():
                raise LookupError(f"{len(leading)} lead, the Lease names {self.holder()!r}")
            return leading[0]

        return eventually("one replica leads", one, 60)

    def writers(self):
        """The author of each accepted write, in the order in which they came."""
        made = sorted(self.cluster.audit.writes(), key=lambda one: one["requestReceivedTimestamp"])
        return [self.cluster.audit.author(one) for one in made]

    def assert_one_after_the_other(self):
        """No accepted write of an old leader comes after the first of the next."""
        order = [identity for identity, _ in itertools.groupby(self.writers())]
        self.assertEqual(len(order), len(set(order)), order)
        return order

    def next_change(self):
        name = f"es-{next(self.number)}"
        self.create(name)
        return name

    def test_an_orderly_stop_hands_over_at_once(self):
        log = LeaseLog(self.api)
        replicas = [self.replica() for _ in range(3)]
        longest = 0.0
        for _ in range(6):
            leader = self.leader(replicas)
            self.wait_for_children(self.next_change())
            holder, began = log.holder, time.monotonic()
            leader.signal(signal.SIGTERM)
            self.assertTrue(log.wait_for_another(holder, 30))
            longest = max(longest, time.monotonic() - began)
            replicas.remove(leader)
            self.leader(replicas)
            replicas.append(self.replica())
            self.wait_for_children(self.next_change())
            leader.stop()
        figure("hand-over after an orderly stop, the longest of 6", f"{longest:.2f} s")
        self.assertLess(longest, slack(1))
        self.assertEqual(len(self.assert_one_after_the_other()), 7)

    def test_a_killed_leader_is_followed_when_its_lease_ends(self):
        replicas = [self.replica(), self.replica()]
        leader = self.leader(replicas)
        self.wait_for_children(self.next_change())
        began = time.monotonic()
        leader.kill()
        replicas.remove(leader)
        name = self.next_change()
        self.leader(replicas)
        self.wait_for_children(name)
        took = time.monotonic() - began
        figure("hand-over after SIGKILL", f"{took:.1f} s")
        self.assertLess(took, LEASE_SECONDS + RETRY + slack(3))
        self.assertEqual(len(self.assert_one_after_the_other()), 2)

    def test_a_paused_leader_writes_nothing_when_it_wakes(self):
        replicas = [self.replica(), self.replica()]
        leader = self.leader(replicas)
        name = self.next_change()
        self.wait_for_children(name)
        leader.pause()
        other = next(r for r in replicas if r is not leader)
        began = time.monotonic()
        self.leader([other])
        took = time.monotonic() - began
        figure("hand-over after SIGSTOP", f"{took:.1f} s")
        self.assertLess(took, LEASE_SECONDS + RETRY + slack(3))
        self.api.patch(objects.child("configmap", name), REPAIRED)
        eventually("the new leader writes", lambda: self.child("configmap", name)["metadata"].get("annotations"))
        leader.resume()
        # Both see each change; only one may act.
        for _ in range(10):
            self.api.patch(objects.child("configmap", name), REPAIRED)
            eventually("mended", lambda: self.child("configmap", name)["metadata"].get("annotations"))
        eventually("the old one knows", lambda: leader.metric("leader_election_master_status") == 0)
        self.assertTrue(leader.alive(), "losing the Lease ends nothing")
        self.assertTrue(leader.is_ready())
        self.assertEqual(len(self.assert_one_after_the_other()), 2)

    def test_a_write_that_arrives_late_is_refused(self):
        way = Proxy(self.cluster.port)
        self.addCleanup(way.close)
        short = "--leader-elect-lease-duration=5s"
        cut_off = self.replica(short, api_port=way.port)
        other = self.replica(short)
        self.leader([cut_off])
        old = self.api.get(LEASE)["spec"]["holderIdentity"]
        name = self.next_change()
        self.wait_for_children(name)
        self.wait_settled(cut_off)
        way.hold("there")
        # It learns of that, and its write is on the way while the next leader takes over.
        self.api.delete(objects.child("configmap", name))
        self.leader([other])
        self.wait_for_children(name)
        self.cluster.audit.mark()
        way.release()
        late = eventually("the late write has come", lambda: [
            one for one in self.cluster.audit.writes(accepted_only=False) if self.cluster.audit.author(one) == old])
        figure("what arrived after the hand-over", self.cluster.audit.summary(late))
        self.assertEqual({one["responseStatus"]["code"] for one in late}, {409})
        self.assertNotIn(old, self.writers())

    def test_a_new_leader_first_learns_what_the_old_one_acted_on(self):
        short = "--leader-elect-lease-duration=5s"
        # It keeps its rights, whatever becomes of the service account's.
        old = self.replica(short, token="admin-token")
        self.leader([old])
        self.create("moved", "before.example")
        self.wait_for_children("moved")
        self.set_ready("moved")
        new = self.replica(short, "--kube-watch-timeout=10s")
        self.forbidden_on_purpose = True
        rules = self.api.get(CLUSTER_ROLE)["rules"]
        self.addCleanup(self.api.patch, CLUSTER_ROLE, {"rules": rules})
        self.api.patch(CLUSTER_ROLE, {"rules": [rule for rule in rules if "externalservices" not in rule["resources"]]})
        eventually("the follower does not hear of ExternalServices any more",
                   lambda: new.log_lines(kind="ExternalService", level="warn"), 60)
        self.api.patch(objects.path("moved"), {"spec": {"dnsName": "after.example"}})
        eventually("the name is hijacked", lambda: self.hijacked_by("moved") == "after.example")
        self.wait_settled(old)
        self.cluster.audit.mark()
        old.kill()
        self.leader([new])
        # Children it hears of: with those alone, it would put this one back to what it knows.
        self.api.patch(objects.child("service", "moved"), {"metadata": {"labels": {"touched": "yes"}}})
        stays("nothing is written", lambda: not self.children_written_by_operators(), 8)
        self.api.patch(CLUSTER_ROLE, {"rules": rules})
        self.wait_for_children(self.next_change())
        self.wait_settled(new)
        self.assertEqual(self.hijacked_by("moved"), "after.example")
        self.assertNotIn("moved", {one["objectRef"]["name"] for one in self.children_written_by_operators()})

    def children_written_by_operators(self):
        return [one for one in self.cluster.audit.writes()
                if "egress-operator" in one["userAgent"] and "subresource" not in one["objectRef"]]

    def hijacked_by(self, name):
        """The host that the gateway's Service stands for in DNS; None for none."""
        metadata = self.child("service", name)["metadata"]
        hijacks = metadata["labels"].get("egress.monzo.com/hijack-dns") == "true"
        return metadata["annotations"]["egress.monzo.com/dns-name"] if hijacks else None

    def test_metrics_and_status_show_who_leads(self):
        replicas = [self.replica(), self.replica()]
        while replicas:
            leader = self.leader(replicas)
            eventually("its status says so", lambda: self.says_who_writes(leader) == f"{self.holder()} (this replica)")
            for other in (one for one in replicas if one is not leader):
                self.assertIn('leader_election_master_status{name="egress-operator"} 0\n', other.page("/metrics")[1])
                eventually("a follower's names the leader", lambda: self.says_who_writes(other) == self.holder())
            replicas.remove(leader)
            leader.stop()

    @staticmethod
    def says_who_writes(replica):
        row = re.search("^ *writes +(.*)$", replica.page("/statusz?format=text")[1], re.MULTILINE)
        return row and row.group(1)

    def test_a_deleted_lease_is_made_again(self):
        replicas = [self.replica(), self.replica()]
        self.leader(replicas)
        self.api.delete(LEASE)
        self.leader(replicas)
        self.wait_for_children(self.next_change())


if __name__ == "__main__":
    main()
