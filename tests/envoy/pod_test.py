#!/usr/bin/env python3
"""The hardened pod as it is: another uid, no capabilities, nothing to write to, ports below 1024, and standard output a pipe."""
import os
import subprocess
import threading

from harness import cases
from harness.cases import TrafficTest, eventually, peers, world
from harness.rendering import COMPATIBLE, container, external_service, render

NO_CAPABILITIES = "0000000000000000"


class PodTest(TrafficTest):
    def status(self, gateway):
        with open(f"/proc/{gateway.pid}/status", encoding="ascii") as file:
            return dict(line.split(":\t", maxsplit=1) for line in file.read().splitlines() if ":\t" in line)

    def test_it_runs_with_no_rights_and_the_arguments_of_the_deployment(self):
        self.resolver.set("bare.example.com", world.public(150))
        peers.Tcp(world.public(150), 443), peers.Udp(world.public(150), 53), peers.Tcp(world.public(150), 53)
        gateway = self.gateway("bare", [443, 53, "53/UDP"], exact=True, ipOverride=[world.public(150)])
        status = self.status(gateway)
        self.assertEqual(set(status["Uid"].split()), {"101"})
        self.assertEqual(set(status["Gid"].split()), {"101"})
        for which in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
            self.assertEqual(status[which], NO_CAPABILITIES, which)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(peers.who(gateway.address, 443), world.public(150))
        self.assertEqual(peers.ask_udp(gateway.address, 53), (world.public(150), "hello"))
        requested = container(gateway.children)["resources"]["requests"]["memory"]
        self.assertLess(gateway.resident(), int(requested.removesuffix("Mi")) << 20, "what is requested is enough for one that is idle")
        with self.assertRaises(OSError, msg="the root filesystem is read-only"):
            with open(f"/proc/{gateway.pid}/root/usr/written", "w", encoding="ascii"):
                pass

    def test_it_starts_with_a_pipe_as_standard_output(self):
        """Container runtimes give the pipe to the container's user. With ipOverride health events go to /dev/stdout, which is
        opened anew: a pipe of root's would be refused."""
        self.resolver.set("piped.example.com", world.public(151))
        peers.Tcp(world.public(151), 443)
        pipe, seen = f"{self.folder}/stdout", []
        os.mkfifo(pipe, 0o600)
        read = os.open(pipe, os.O_RDWR)  # also for writing: never at its end
        threading.Thread(target=lambda: seen.extend(iter(lambda: os.read(read, 65536), b"")), daemon=True).start()
        gateway = self.gateway("piped", [443], exact=True, stdout=pipe, ipOverride=[world.public(151), world.public(152)])
        self.assertEqual(peers.who(gateway.address, 443), world.public(151))
        eventually("health events and access logs come through it",
                   lambda: all(one in b"".join(seen) for one in (b'"health_checker_type"', b"piped_TCP_443")), 40)

    def test_an_output_that_stayed_root_s_is_refused_with_a_clear_line(self):
        """Why the one above matters, as docs/gateways.md has it."""
        gateway = self.gateway("rootpipe", [443], exact=True, wait=False, owns_stdout=False, ipOverride=[world.public(151)])
        eventually("it has ended", lambda: not gateway.alive(), 20)
        self.assertIn("unable to open file '/dev/stdout': Permission denied", gateway.output())

    def test_the_deployment_has_what_hygiene_asks(self):
        children = render([external_service("neat", ports=[{"port": 8443}])])["neat"]
        pod = children["Deployment"]["spec"]["template"]["spec"]
        self.assertEqual(container(children)["resources"], {"requests": {"cpu": "100m", "memory": "96Mi"},
                                                            "limits": {"cpu": "2", "memory": "1Gi"}})
        self.assertFalse(pod["automountServiceAccountToken"])
        self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertNotIn("sysctls", pod["securityContext"], "none without a port below 1024")
        own = {"requests": {"cpu": "1"}, "limits": {"cpu": "3", "memory": "2Gi"}}
        children = render([external_service("own", ports=[{"port": 8443}], resources=own)])["own"]
        self.assertEqual(container(children)["resources"], own, "resources of the specification win")
        self.assertEqual(container(children)["args"][-2:], ["--concurrency", "3"])

    def test_a_compatible_pod_is_what_it_was(self):
        children = render([external_service("old", ports=[{"port": 443}])], COMPATIBLE)["old"]
        pod = children["Deployment"]["spec"]["template"]["spec"]
        self.assertEqual(pod["securityContext"], {})
        self.assertNotIn("securityContext", container(children))

    def test_threads_follow_the_cpu_limit(self):
        self.resolver.set("threads.example.com", world.public(153))
        gateway = self.gateway("threads", [443], resources={"limits": {"cpu": "3"}})
        names = subprocess.run(["cat", *[f"/proc/{gateway.pid}/task/{task}/comm" for task in os.listdir(f"/proc/{gateway.pid}/task")]],
                               text=True, capture_output=True, check=False).stdout
        self.assertEqual(names.count("wrk:worker_"), 3, names)


if __name__ == "__main__":
    cases.main()
