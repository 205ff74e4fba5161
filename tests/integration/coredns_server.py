"""A stock CoreDNS with the Corefiles of docs/coredns.md: their own text, with this machine's addresses in it."""
import re
import subprocess

from dns_world import ROOT, Process, answers, metric, steady_ports

DOC = f"{ROOT}/docs/coredns.md"


def found_program():
    """Its path; None, with the reason on stderr, when CoreDNS has not been built."""
    found = subprocess.run([f"{ROOT}/scripts/coredns.sh", "--find"], stdout=subprocess.PIPE, text=True, check=False)
    return found.stdout.strip() or None


def corefiles():
    """{the first server block's name: text}, of all code blocks of the guide that are Corefiles."""
    with open(DOC, encoding="utf-8") as file:
        blocks = re.findall(r"^```\n(.*?)^```$", file.read(), re.DOTALL | re.MULTILINE)
    return {block.split(":53 {", 1)[0]: block for block in blocks if ":53 {" in block.splitlines()[0]}


def put(text, what, instead, times=1):
    assert text.count(what) == times, f"docs/coredns.md has {what!r} {text.count(what)} times, not {times}:\n{text}"
    return text.replace(what, instead)


class CoreDns(Process):
    """`corefile` is one of corefiles(); for 10.0.0.53 and port 53 come the operator's port and ours."""

    def __init__(self, folder, corefile, operator_port, kubeconfig=None, log="coredns", ready="up.example"):
        self.port, self.metrics_port, health, ready_port = steady_ports(4)
        text = put(corefile, "10.0.0.53", f"127.0.0.1:{operator_port}", corefile.count("10.0.0.53"))
        text = put(text, ":53 {\n", f":{self.port} {{\n    bind 127.0.0.1\n", text.count(":53 {\n"))
        if kubeconfig:
            text = put(text, "health {", f"health 127.0.0.1:{health} {{")
            text = put(text, "    ready\n", f"    ready 127.0.0.1:{ready_port}\n")
            text = put(text, "prometheus :9153", f"prometheus 127.0.0.1:{self.metrics_port}")
            text = put(text, "pods insecure", f"pods insecure\n        kubeconfig {kubeconfig}")
        file = f"{folder}/{log}.Corefile"
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        super().__init__([found_program(), "-conf", file], f"{folder}/{log}.log")
        # It begins to listen late: its kubernetes plugin waits for the first lists.
        self.wait_for("CoreDNS answers", lambda: answers(self.port, ready))

    def metric(self, name, **labels):
        return metric(self.metrics_port, name, **labels)


__all__ = ["CoreDns", "corefiles", "found_program", "put"]
