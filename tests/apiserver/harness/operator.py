"""The operator under test, as its Deployment runs it: by the service account's token."""
import json
import os
import urllib.error
import urllib.request

from . import dns
from .ports import free_ports
from .processes import Process


def program():
    return os.environ["EGRESS_OPERATOR"]


class Operator(Process):
    """Started with the rights that deploy/ gives, and no others."""

    def __init__(self, cluster, *flags, name="operator", upstream=9, token=None, wait=True, api_port=None):
        self.cluster = cluster
        self.dns_port, self.metrics_port = free_ports(2)
        self.token_file = f"{cluster.folder}/{name}.token"
        self.write_token(token or cluster.operator_token())
        config = cluster.write_kubeconfig(f"{cluster.folder}/{name}.kubeconfig", {"tokenFile": self.token_file}, api_port)
        super().__init__(
            [program(), "run", "--kubeconfig", config, "--dns-addr", f"127.0.0.1:{self.dns_port}", "--metrics-addr",
             f"127.0.0.1:{self.metrics_port}", "--dns-upstream", f"127.0.0.1:{upstream}", *flags],
            f"{cluster.folder}/{name}.log", {"POD_NAME": name})
        if wait:
            self.wait_until_ready()

    def write_token(self, token):
        # As the kubelet does: never half a file.
        with open(self.token_file + ".new", "w", encoding="ascii") as file:
            file.write(token)
        os.rename(self.token_file + ".new", self.token_file)

    def page(self, path):
        """(status, text)"""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def is_ready(self):
        return self.page("/readyz")[0] == 200

    def wait_until_ready(self, seconds=60):
        self.wait_for("the operator says /readyz", self.is_ready, seconds)

    def metric(self, name, **labels):
        """The sum of the samples that have these labels."""
        total = 0.0
        for line in self.page("/metrics")[1].splitlines():
            if line.split("{")[0].split(" ")[0] == name and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def ask(self, name, kind=dns.A, timeout=5.0):
        return dns.ask(self.dns_port, name, kind, timeout)

    def address(self, name):
        """The one address that is answered for the name; LookupError otherwise."""
        answer = self.ask(name)
        if not answer or answer[0] != dns.NOERROR or len(answer[1]) != 1:
            raise LookupError(f"{name}: {answer}")
        return answer[1][0]

    def log_lines(self, **having):
        made = []
        for line in self.output().splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if all(one.get(key) == value for key, value in having.items()):
                made.append(one)
        return made
