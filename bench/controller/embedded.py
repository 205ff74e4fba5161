#!/usr/bin/env python3
"""How the operator's cost grows with the number of ExternalServices, on the embedded API server: past what etcd on the
same two cores could hold. The server is a process of its own (`dev --api-only`); what is printed is the operator's."""
import argparse
import json
import os
import pathlib
import tempfile
import time
import warnings

from lab import external_service, eventually, memory, peak

# pylint: disable=wrong-import-order
from harness.operator import Operator
from harness.processes import Process

warnings.simplefilter("ignore", ResourceWarning)


class OnEmbedded(Operator):
    """The same operator, by the embedded server's kubeconfig."""

    def __init__(self, program, kubeconfig, folder, name):
        # pylint: disable=super-init-not-called
        from harness.ports import free_ports  # pylint: disable=import-outside-toplevel
        self.dns_port, self.metrics_port = free_ports(2)
        Process.__init__(self, [program, "run", "--kubeconfig", kubeconfig, "--dns-addr", f"127.0.0.1:{self.dns_port}", "--metrics-addr",
                                f"127.0.0.1:{self.metrics_port}", "--dns-upstream", "127.0.0.1:9"], f"{folder}/{name}.log")


def settled(operator, count):
    """Every name is hijacked, and nothing is left to do."""
    return operator.metric("egress_operator_hijack_table_names") >= count and operator.metric("workqueue_depth") == 0 \
        and operator.metric("controller_runtime_active_workers") == 0


def wait_until_settled(operator, count):
    eventually(f"{count} are settled", lambda: settled(operator, count), 3600, every=0.5)


def measure(program, count):
    with tempfile.TemporaryDirectory() as folder:
        manifests = pathlib.Path(folder, "all.yaml")
        manifests.write_text("\n---\n".join(json.dumps(external_service(i)) for i in range(count)), encoding="utf-8")
        kubeconfig = f"{folder}/kubeconfig"
        server = Process([program, "dev", "--api-only", "-f", manifests, "--kubeconfig-out", kubeconfig], f"{folder}/server.log")
        eventually("the embedded server has them", lambda: os.path.exists(kubeconfig), 600, every=0.1)
        began = time.monotonic()
        operator = OnEmbedded(program, kubeconfig, folder, "operator")
        wait_until_settled(operator, count)
        took, used, most, resident = time.monotonic() - began, operator.cpu(), peak(operator), operator.resident()
        operator.stop()
        began = time.monotonic()
        operator = OnEmbedded(program, kubeconfig, folder, "restarted")
        operator.wait_until_ready(600)
        ready = time.monotonic() - began
        wait_until_settled(operator, count)
        print(f"| {count:,} | {took:.1f} s | {used / count * 1e3:.2f} ms | {memory(most)} | {memory(resident)} | {ready:.2f} s | "
              f"{operator.cpu() / count * 1e6:.0f} µs | {memory(operator.resident())} |", flush=True)
        operator.stop()
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operator", required=True, type=os.path.abspath)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of ExternalServices, with commas")
    options = parser.parse_args()
    print("| ExternalServices | settled after | CPU for each | resident, at most | settled | restarted, ready after | CPU for each | resident |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for count in (int(one) for one in options.sizes.split(",")):
        measure(options.operator, count)


if __name__ == "__main__":
    main()
