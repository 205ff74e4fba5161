"""`egress-operator dev --envoy`, its API, its gateways, and clients of them."""
import ctypes
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from . import sockets

NAMESPACE = "egress-operator-system"
CLIENT = "127.0.0.77"  # of our clients: the world must never see it
EXTERNAL_SERVICES = "/apis/egress.monzo.com/v1/externalservices"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


class Failed(Exception):
    pass


PATIENCE = 120  # seconds: for machines with much else to do


def wait_for(what, condition, seconds=PATIENCE):
    """The condition's first value that is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s: {what}")
        time.sleep(0.02)
    return value


def free_port():
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        return tcp.getsockname()[1]


_C = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_the_test():
    _C.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Dev:
    """A running `dev`: what it says, its API and its gateways. The class that starts it sets process, folder (operator.log is
    there) and logs."""

    def find_api(self):
        """The kubeconfig is named by what it says."""
        if self.process.poll() is not None:
            raise Failed(f"the operator has ended with {self.process.returncode}:\n{self.log()}")
        found = re.search(r"^The embedded API server is at http://(\S+); its kubeconfig is (\S+)$", self.log(), re.MULTILINE)
        self._api = found and found[1]
        return bool(found)

    def log(self):
        with open(f"{self.folder}/operator.log", encoding="utf-8") as file:
            return file.read()

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self._api, timeout=10)
        try:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {text}")
        return json.loads(text)

    def get(self, path):
        return self.call("GET", path)

    def ready_names(self):
        conditions = {one["metadata"]["name"]: one.get("status", {}).get("conditions", []) for one in self.get(EXTERNAL_SERVICES)["items"]}
        return {name for name, all_ in conditions.items() if any(c["type"] == "Ready" and c["status"] == "True" for c in all_)}

    def service_ports(self, name):
        return {(one["port"], one.get("protocol", "TCP")) for one in self.get(f"{SERVICES}/{name}")["spec"]["ports"]}

    def addresses(self):
        return {one["metadata"]["name"]: one["spec"]["clusterIP"] for one in self.get(SERVICES)["items"]}

    def gateways(self):
        """pid by name."""
        found = {}
        for pid, words in sockets.children(self.process.pid).items():
            ends = (f".{NAMESPACE}.json", f".{NAMESPACE}/envoy.yaml")
            config = next((one for one in words if one.endswith(ends)), None)
            if config:
                found[os.path.basename(config.removesuffix("/envoy.yaml")).split(".")[0]] = pid
        return found

    def end(self, how):
        """The exit code. Its gateways have to be gone with it."""
        pids = list(self.gateways().values())
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        wait_for(f"the gateways are gone after {how.name}", lambda: not any(sockets.is_alive(one) for one in pids))
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Operator(Dev):
    def __init__(self, binary, envoy, folder, upstream, services, *flags):
        self.dns_port, self.folder = free_port(), folder
        os.makedirs(folder)
        self.logs = f"{folder}/gateways"
        with open(f"{folder}/operator.log", "wb") as log:
            self.process = subprocess.Popen(
                [binary, "dev", "--envoy", envoy, "--envoy-logs", self.logs, "--service-cluster-ip-range", str(services),
                 "--kubeconfig-out", f"{folder}/kubeconfig", "--dns-addr", f"127.0.0.1:{self.dns_port}", "--metrics-addr", "127.0.0.1:0",
                 "--dns-upstream", f"127.0.0.1:{upstream}", "--dns-ttl", "1s", "--log-format", "text", *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_the_test)
        wait_for("the API's address is printed", self.find_api)


class Client:
    """Resolves as a pod would, and connects to what was answered."""

    def __init__(self, dns_port):
        self._dns_port, self._lock, self._words = dns_port, threading.Lock(), 0

    def _word(self):
        with self._lock:
            self._words += 1
            return f"word{self._words}".encode()

    def resolve(self, name):
        labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
        with socket.socket(type=socket.SOCK_DGRAM) as to:
            to.settimeout(1)
            to.connect(("127.0.0.1", self._dns_port))
            for attempt in range(20):
                to.send(struct.pack("!HHHHHH", attempt, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1))
                try:
                    answer = to.recv(4096)
                except socket.timeout:
                    continue
                if struct.unpack("!H", answer[6:8])[0] != 1:
                    raise Failed(f"{name}: flags {answer[2:4].hex()}, {answer[7]} answers")
                at = 12 + len(labels) + 5 + 12  # behind the header, the question, and all of the record but its data
                return socket.inet_ntoa(answer[at:at + 4])
        raise Failed(f"{name}: DNS does not answer")

    def connect(self, address, port):
        return socket.create_connection((address, port), timeout=PATIENCE / 4, source_address=(CLIENT, 0))

    def speak(self, label, address, port):
        """Raises OSError or Failed unless the server of that label answers through this address."""
        with self.connect(address, port) as connection:
            self.speak_on(connection, label)

    def speak_on(self, connection, label):
        word = self._word()
        connection.sendall(word + b"\n")
        answer = connection.makefile("rb").readline()
        if answer == b"":
            raise ConnectionError(f"{label}: closed without an answer")
        if answer != label.encode() + b" " + word + b"\n":
            raise Failed(f"{label}: {answer!r} came back for {word!r}")

    def speak_udp(self, label, address, port):
        word = self._word()
        with socket.socket(type=socket.SOCK_DGRAM) as to:
            to.settimeout(1)
            to.bind((CLIENT, 0))
            to.connect((address, port))
            for _ in range(20):
                to.send(word)
                try:
                    if to.recv(100) == label.encode() + b" " + word:
                        return
                except (socket.timeout, ConnectionError):
                    continue
        raise Failed(f"{label}: no answer over UDP")
