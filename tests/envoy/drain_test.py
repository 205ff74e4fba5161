#!/usr/bin/env python3
"""How a gateway ends: the preStop hook is the drain, during which everything goes on; at SIGTERM Envoy ends at once."""
import subprocess
import time

from harness import cases
from harness.cases import TrafficTest, peers, world
from harness.rendering import container

DRAIN = 3


class Drain(TrafficTest):
    def setUp(self):
        self.resolver.set("ending.example.com", world.public(130))
        type(self).upstream = getattr(type(self), "upstream", None) or peers.Tcp(world.public(130), 443)
        self.gateway_ = self.gateway("ending", [443], flags=["--gateway-drain-seconds", str(DRAIN)])

    def end(self, during):
        """As the kubelet: the hook, then SIGTERM, all within the grace period."""
        pod, inside = self.gateway_.template["spec"], container(self.gateway_.children)
        begun = time.monotonic()
        hook = subprocess.Popen(self.gateway_.pod.command(*inside["lifecycle"]["preStop"]["exec"]["command"]))
        while hook.poll() is None:
            during()
        self.assertEqual(hook.returncode, 0)
        drained = time.monotonic() - begun
        code = self.gateway_.stop(pod["terminationGracePeriodSeconds"] - drained)
        return drained, time.monotonic() - begun, code

    def test_connections_go_on_during_the_drain_and_end_with_it(self):
        old = self.connect(self.gateway_, 443)
        self.assertEqual(peers.read_line(old), world.public(130))

        def during():
            self.assertTrue(peers.alive(old), "in flight")
            self.assertEqual(peers.who(self.gateway_.address, 443), world.public(130), "new ones, of clients that do not know yet")
            self.assertEqual(self.gateway_.http("/ready")[0], 200)
            time.sleep(0.05)

        drained, took, code = self.end(during)
        self.assertGreaterEqual(drained, DRAIN)
        self.assertLess(took, DRAIN + 5, "within the grace period")
        self.assertEqual(code, 0)
        self.assertFalse(peers.alive(old), "what is still there is closed")

    def test_the_grace_period_is_longer_than_the_drain(self):
        self.assertEqual(self.gateway_.template["spec"]["terminationGracePeriodSeconds"], DRAIN + 5)
        default = self.gateway("ending", [443])
        self.assertEqual(container(default.children)["lifecycle"]["preStop"]["exec"]["command"], ["/bin/sleep", "25"])
        self.assertEqual(default.template["spec"]["terminationGracePeriodSeconds"], 30)


if __name__ == "__main__":
    cases.main()
