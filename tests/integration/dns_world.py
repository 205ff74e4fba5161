"""Servers around the operator's DNS, each a process on loopback with a port of its own that ends with the test.

An embedded API server has the ExternalServices, the operator is another process, so that it can be killed alone; the
upstream (real_addresses.py) answers every name with a real address. A leak is a hijacked name's answer that has one.
"""
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../..")
sys.path.insert(0, f"{ROOT}/tests/apiserver")
from harness import dns  # noqa: E402
from harness.processes import Process  # noqa: E402
from harness.waiting import eventually, stays  # noqa: E402

LEFT_OUT = 77  # ctest shows the test as skipped
REAL_V4, REAL_V6 = "203.0.113.", "2001:db8:"


def slack(seconds):
    """A bound of time, for a build that is slower than usual (EGRESS_TEST_SLACK: a factor)."""
    return seconds * float(os.environ.get("EGRESS_TEST_SLACK", "1"))


def say(*what, **how):
    print(*what, flush=True, **how)


def left_out(why):
    """Ends the test as a skipped one."""
    print(f"LEFT OUT: {why}", file=sys.stderr)
    sys.exit(LEFT_OUT)


def steady_ports(count):
    """Free ports below those that the kernel gives away: they stay free while a server of ours restarts."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_given_away = int(file.read().split()[0])
    found = []
    while len(found) < count:
        port = random.randrange(10_000, first_given_away)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as sock:
                    sock.bind(("0.0.0.0", port))
        except OSError:
            continue
        if port not in found:
            found.append(port)
    return found


def metric(port, name, **labels):
    """The sum of the samples on 127.0.0.1:port that have these labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines
               if re.split(r"[{ ]", line, maxsplit=1)[0] == name and all(f'{k}="{v}"' in line for k, v in labels.items()))


def answers(port, name="up.example", kind=dns.A):
    """Whether somebody answers there, whatever the answer is."""
    return dns.ask(port, name, kind, timeout=0.5) is not None


class Api(Process):
    """The embedded API server, with an ExternalService for each (object's name, DNS name)."""

    def __init__(self, folder, names):
        self.kubeconfig, manifests = f"{folder}/kubeconfig", f"{folder}/names.json"
        with open(manifests, "w", encoding="ascii") as file:
            json.dump({"apiVersion": "v1", "kind": "List", "items": [self.manifest(*one) for one in names]}, file)
        super().__init__([os.environ["EGRESS_OPERATOR"], "dev", "--api-only", "--kubeconfig-out", self.kubeconfig,
                          "-f", manifests], f"{folder}/api.log")
        self.wait_for("the API server has written its kubeconfig", lambda: os.path.exists(self.kubeconfig)
                      and "is at http" in self.output())
        with open(self.kubeconfig, encoding="ascii") as file:
            self.url = re.search(r"http://[0-9.:]+", file.read()).group()

    @staticmethod
    def manifest(name, dns_name):
        return {"apiVersion": "egress.monzo.com/v1", "kind": "ExternalService", "metadata": {"name": name},
                "spec": {"dnsName": dns_name, "hijackDns": True, "ports": [{"port": 443}]}}

    def request(self, path, body=None, method="GET", content="application/json"):
        made = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": content},
                                      data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(made, timeout=10) as answer:
            return json.load(answer)

    def create(self, name, dns_name):
        self.request("/apis/egress.monzo.com/v1/externalservices", self.manifest(name, dns_name), "POST")

    def cluster_ip(self, name):
        """LookupError while there is no such Service."""
        try:
            return self.request(f"/api/v1/namespaces/egress-operator-system/services/{name}")["spec"]["clusterIP"]
        except urllib.error.HTTPError as error:
            raise LookupError(name) from error


class Upstream(Process):
    def __init__(self, folder):
        self.port, = steady_ports(1)
        super().__init__([sys.executable, f"{HERE}/real_addresses.py", self.port], f"{folder}/upstream.log")
        self.wait_for("the test's upstream answers", lambda: answers(self.port))


class Operator(Process):
    """Started anew it has the same ports. `upstream` is a port of loopback; None: the flags say whom to ask."""

    def __init__(self, api, *flags, upstream, ports=None, log="operator", ready=True, environment=None):
        self.api, self.flags, self.upstream = api, flags, upstream
        self.port, self.metrics_port = ports or steady_ports(2)
        folder = os.path.dirname(api.kubeconfig)
        super().__init__(
            [os.environ["EGRESS_OPERATOR"], "run", "--kubeconfig", api.kubeconfig, "--dns-addr", f"127.0.0.1:{self.port}",
             "--metrics-addr", f"127.0.0.1:{self.metrics_port}",
             *(["--dns-upstream", f"127.0.0.1:{upstream}"] if upstream else []), *flags],
            f"{folder}/{log}.log", environment)
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self):
        self.wait_for("the operator says /readyz", self.is_ready, slack(30))

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def metric(self, name, **labels):
        return metric(self.metrics_port, name, **labels)

    def again(self, ready=True):
        """A new process in the place of this one, which has ended."""
        assert not self.alive()
        return Operator(self.api, *self.flags, upstream=self.upstream, ports=(self.port, self.metrics_port), ready=ready)

    def wait_hijacked(self, name, address):
        self.wait_for(f"{name} is {address}", lambda: dns.ask(self.port, name) == (dns.NOERROR, [address]), slack(30))


class World:
    """The servers of a test, beginning with an API server that knows `names` and an upstream, and their files."""

    def __init__(self, names):
        self.folder, self._started, self.names, self.addresses = tempfile.mkdtemp(prefix="egress-dns-"), [], names, {}
        try:
            self.api = self.start(Api, self.folder, names)
            self.upstream = self.start(Upstream, self.folder)
        except BaseException:
            self.stop()
            raise

    def start(self, kind, *arguments, **options):
        made = kind(*arguments, **options)
        self._started.append(made)
        return made

    def operator(self, *flags, **options):
        """One that has learnt all names; self.addresses has them by their DNS names."""
        options.setdefault("upstream", self.upstream.port)
        made = self.start(Operator, self.api, *flags, **options)
        self.addresses = {dns_name: eventually(f"{name} has a Service", lambda name=name: self.api.cluster_ip(name))
                          for name, dns_name in self.names}
        for name, address in self.addresses.items():
            made.wait_hijacked(name.replace("*", "any"), address)
        return made

    def file(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def show_logs(self):
        for log in sorted(os.listdir(self.folder)):
            if log.endswith(".log"):
                with open(f"{self.folder}/{log}", encoding="utf-8", errors="replace") as file:
                    say(f"--- the end of {log}:", "".join(file.readlines()[-8:]), sep="\n")

    def stop(self):
        for one in reversed(self._started):
            one.kill()
        if os.environ.get("EGRESS_TEST_KEEP"):
            say(f"kept: the logs in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


class DnsTest(unittest.TestCase):
    """A world a test; with `shared` one for all tests of the class, which leave it as they find it."""

    names = (("google", "google.com"),)
    shared = False

    @classmethod
    def setUpClass(cls):
        if cls.shared:
            cls.world = World(cls.names)
            cls.addClassCleanup(cls.world.stop)
            cls.furnish(cls.world)

    @classmethod
    def furnish(cls, world):
        """What else a shared world has."""

    def setUp(self):
        if not self.shared:
            self.world = World(self.names)
            self.addCleanup(self.world.stop)
        self.addCleanup(self.show_logs_of_a_failure)

    def show_logs_of_a_failure(self):
        outcome = self._outcome.result
        if any(test is self for test, _ in outcome.failures + outcome.errors):
            self.world.show_logs()

    def operator(self, *flags, **options):
        return self.world.operator(*flags, **options)

    @property
    def addresses(self):
        return self.world.addresses


def run(program, *arguments, environment=None, check=True):
    """What it printed."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise AssertionError(f"{program} {' '.join(map(str, arguments))}: exit code {done.returncode}: "
                             f"{done.stdout}{done.stderr}")
    return done.stdout


def need(*programs):
    for one in programs:
        if shutil.which(one) is None and not os.path.exists(f"/usr/sbin/{one}"):
            left_out(f"there is no {one} here")


__all__ = ["Api", "DnsTest", "HERE", "LEFT_OUT", "Operator", "Process", "REAL_V4", "REAL_V6", "ROOT", "Upstream", "World",
           "answers", "dns", "eventually", "left_out", "metric", "need", "run", "say", "slack", "stays", "steady_ports"]
