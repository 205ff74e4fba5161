#!/usr/bin/env python3
"""Leader election on a real Lease: one replica writes, all serve DNS, and a straggler's write comes to nothing."""
import itertools
import re
import time

from harness.suite import ClusterTest, eventually, figure, main, objects

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{objects.NAMESPACE}/leases/egress-operator"
REPAIRED = {"metadata": {"annotations": None}}


class Leadership(ClusterTest):
    cluster_arguments = {"deploy": "deploy/overlays/leader-election", "controllers": ("garbage-collector-controller",)}

    def setUp(self):
        super().setUp()
        self.number = itertools.count()
        if self.api.find(LEASE):
            self.api.delete(LEASE)

    def replica(self):
        return self.operator("--enable-leader-election", name=f"replica-{next(self.number)}")

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
        """[(time, identity)] of accepted writes to objects, in the server's order."""
        made = []
        for one in self.cluster.audit.writes():
            identity = re.search(r"\((.*)\)", one["userAgent"])
            made.append((one["requestReceivedTimestamp"], identity.group(1)))
        return made

    def assert_one_after_the_other(self):
        """No accepted write of an old leader comes after the first of the next."""
        order = [identity for identity, _ in itertools.groupby(name for _, name in self.writers())]
        self.assertEqual(len(order), len(set(order)), order)
        return order

    def next_change(self):
        name = f"es-{next(self.number)}"
        self.create(name)
        return name

    def test_an_orderly_stop_hands_over_within_a_retry(self):
        replicas = [self.replica() for _ in range(3)]
        longest = 0.0
        for _ in range(6):
            leader = self.leader(replicas)
            self.wait_for_children(self.next_change())
            began = time.monotonic()
            leader.stop()
            released = time.monotonic()
            replicas.remove(leader)
            self.leader(replicas)
            longest = max(longest, time.monotonic() - released)
            replicas.append(self.replica())
            self.wait_for_children(self.next_change())
            self.assertLess(released - began, 30)
        figure("hand-over after an orderly stop, the longest of 6", f"{longest:.2f} s")
        self.assertLess(longest, 4)
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
        figure("hand-over after SIGKILL", f"{time.monotonic() - began:.1f} s")
        self.assertLess(time.monotonic() - began, 38)
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
        figure("hand-over after SIGSTOP", f"{time.monotonic() - began:.1f} s")
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

    def test_a_deleted_lease_is_made_again(self):
        replicas = [self.replica(), self.replica()]
        self.leader(replicas)
        self.api.delete(LEASE)
        self.leader(replicas)
        self.wait_for_children(self.next_change())


if __name__ == "__main__":
    main()
