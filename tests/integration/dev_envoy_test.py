#!/usr/bin/env python3
"""`dev --envoy` from end to end: clients resolve names through the operator's DNS, connect to what it answers, and speak to
the world's servers through real Envoys, for 50 ExternalServices, while gateways are killed at random. No client ever
reaches the world by itself. Exit code 77 without an Envoy, 1 with EGRESS_ENVOY=required.

usage: dev_envoy_test.py BINARY; EGRESS_SEED=N repeats the random choices of a run.
"""
import concurrent.futures
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from dev_envoy import sockets, world
from dev_envoy.program import CLIENT, DEPLOYMENTS, EXTERNAL_SERVICES, Client, Failed, Operator, wait_for

NAMES, KILLS, OVER_UDP = 50, 40, 5
PORT, OTHER_PORT, UDP_PORT = 8443, 8444, 8553
UDP = {"port": UDP_PORT, "protocol": "UDP"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def say(text):
    print(f"dev_envoy_test.py: {text}", flush=True)


def check(true, what):
    if not true:
        raise Failed(what)


def external_service(name, *more_ports):
    return {"apiVersion": "egress.monzo.com/v1", "kind": "ExternalService", "metadata": {"name": name.label},
            "spec": {"dnsName": name.dns_name, "hijackDns": True, "ports": [{"port": PORT}, *more_ports]}}


class Downtime:
    """Which gateways may fail just now: from a kill until a client that began later was answered."""

    def __init__(self):
        self._lock, self._killed_at, self.kills = threading.Lock(), {}, {}

    def kill(self, label, pid, how):
        with self._lock:
            os.kill(pid, how)
            wait_for(f"{label} has ended by signal {how}", lambda: not sockets.is_alive(pid))
            self._killed_at[label] = time.monotonic()
            self.kills[label] = self.kills.get(label, 0) + 1

    def answered(self, label, begun):
        with self._lock:
            if self._killed_at.get(label, begun) < begun:
                del self._killed_at[label]

    def look(self, label):
        """(it may fail, how often it was killed)"""
        with self._lock:
            return label in self._killed_at, self.kills.get(label, 0)


class Test:
    def __init__(self, binary, envoy, folder, seed):
        self.binary, self.envoy, self.folder = binary, envoy, folder
        self.random = random.Random(seed)
        outside, self.services = world.pick_networks(seed)
        self.names = [world.Name(index, str(outside[index + 1])) for index in range(NAMES)]
        self.dns = world.Dns(self.names)
        self.servers = world.Servers(self.names, (PORT, OTHER_PORT), UDP_PORT)
        self.operators, self.down = [], Downtime()

    def start(self, names, *flags, more_ports=(UDP,)):
        self.operator = Operator(self.binary, self.envoy, f"{self.folder}/{len(self.operators)}", self.dns.port, self.services, *flags)
        self.operators.append(self.operator)
        for one in names:
            self.operator.call("POST", EXTERNAL_SERVICES, external_service(one, *more_ports))
        wanted = {one.label for one in names}
        wait_for("all ExternalServices are ready", lambda: self.operator.ready_names() == wanted)
        self.addresses = self.operator.addresses()
        self.client = Client(self.operator.dns_port)
        # A new table of names comes 5 ms after the one before it, while the API server has the status already.
        wait_for("all names lead to their gateways",
                 lambda: all(self.client.resolve(one.dns_name) == self.addresses[one.label] for one in names))

    def resolve(self, name):
        address = self.client.resolve(name.dns_name)
        check(address == self.addresses[name.label], f"{name.dns_name} is {address}, its Service {self.addresses[name.label]}")
        return address

    def speak(self, name, port=PORT):
        self.client.speak(name.label, self.resolve(name), port)

    def comes_back(self, name, port=PORT):
        def answers():
            try:
                self.speak(name, port)
            except OSError:
                return False
            return True
        wait_for(f"{name.label} works again", answers)

    def all_speak(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(self.speak, self.names))
        self.some_speak_udp()
        say(f"{NAMES} names lead to their servers, {OVER_UDP} of them over UDP as well")

    def some_speak_udp(self):
        for one in self.names[:OVER_UDP]:
            self.client.speak_udp(one.label, self.resolve(one), UDP_PORT)

    def talk_until(self, over, seed, counts):
        choice = random.Random(seed)
        while not over.is_set():
            name, begun = choice.choice(self.names), time.monotonic()
            was_down, kills = self.down.look(name.label)
            try:
                self.speak(name)
            except OSError as error:
                check(was_down or self.down.look(name.label)[1] > kills, f"{name.label} failed and was not killed: {error}")
                counts["failed"] += 1
                continue
            self.down.answered(name.label, begun)
            counts["spoken"] += 1

    def kill_at_random(self):
        over, counts = threading.Event(), {"failed": 0, "spoken": 0}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            talkers = [pool.submit(self.talk_until, over, self.random.random(), counts) for _ in range(4)]
            try:
                for _ in range(KILLS):
                    spoken = counts["spoken"]
                    wait_for("clients go on", lambda: counts["spoken"] > spoken + 5 or any(one.done() for one in talkers))
                    self.kill_one()
            finally:
                over.set()
            for one in talkers:
                one.result()
        for one in self.names:
            self.comes_back(one)
        self.some_speak_udp()
        say(f"{KILLS} kills of {len(self.down.kills)} gateways: {counts['spoken']} conversations, and {counts['failed']} that broke, all of killed gateways")

    def kill_one(self):
        gateways = self.operator.gateways()
        label = self.random.choice(sorted(gateways))
        self.down.kill(label, gateways[label], self.random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGABRT)))

    def only_gateways_came(self):
        visits = self.servers.take_visits()
        gone = 0
        for label, source, who in visits:
            check(source != CLIENT, f"a client reached the server of {label} directly")
            check(who is not None or label in self.down.kills, f"who came to {label} is unknown, and its gateway was not killed")
            check(who is None or who[1] == self.envoy, f"{who} came to {label}, not an Envoy")
            gone += who is None
        say(f"{len(visits)} connections to the world: {len(visits) - gone} from Envoys, {gone} whose Envoy was killed at once, none from a client")
        datagrams = self.servers.take_datagrams()
        direct = {label for label, source in datagrams if source == CLIENT}
        check(not direct, f"datagrams of a client reached the servers of {direct} directly")
        check(len({label for label, _ in datagrams}) == OVER_UDP, f"only these datagrams came: {datagrams}")
        say(f"{len(datagrams)} datagrams to the world, none from a client")

    def its_gateway_came(self, label):
        """For gateways that nobody kills meanwhile."""
        pid = self.operator.gateways()[label]
        came = {who for at, _, who in self.servers.take_visits() if at == label}
        check(came == {(pid, self.envoy)}, f"{came} came to {label}, not process {pid} alone")

    def scale(self):
        name, path = self.names[1], f"{DEPLOYMENTS}/{self.names[1].label}"
        self.operator.call("PATCH", f"{path}/scale", {"spec": {"replicas": 0}})
        wait_for("its Envoy ends", lambda: name.label not in self.operator.gateways())
        wait_for("it is not ready", lambda: not self.operator.get(path)["status"].get("readyReplicas"))
        try:
            self.speak(name)
            raise Failed("somebody still answers where no replicas are")
        except ConnectionRefusedError:
            pass
        self.operator.call("PATCH", f"{path}/scale", {"spec": {"replicas": 3}})
        wait_for("all replicas are ready", lambda: self.operator.get(path)["status"].get("readyReplicas") == 3)
        self.speak(name)
        self.its_gateway_came(name.label)
        say("scaled to 0 nobody answers, scaled up again it works")

    def change(self):
        name, before = self.names[2], self.operator.gateways()
        changed = external_service(name, UDP, {"port": OTHER_PORT})
        self.operator.call("PATCH", f"{EXTERNAL_SERVICES}/{name.label}", {"spec": changed["spec"]})
        wait_for("a new Envoy runs", lambda: self.operator.gateways().get(name.label) not in (None, before[name.label]))
        self.comes_back(name, OTHER_PORT)
        self.speak(name)
        after = self.operator.gateways()
        check({one for one in after if after[one] != before.get(one)} == {name.label}, "another gateway was restarted")
        say("a new configuration restarts its own gateway, once")

    def reload(self):
        name, path = self.names[4], f"{EXTERNAL_SERVICES}/{self.names[4].label}"
        before = self.operator.gateways()[name.label]
        self.operator.call("PATCH", path, {"spec": {"configDelivery": "Reload"}})
        wait_for("its gateway is another, once", lambda: self.operator.gateways().get(name.label) not in (None, before))
        self.comes_back(name)
        wait_for("all is ready", lambda: name.label in self.operator.ready_names())
        pid = self.operator.gateways()[name.label]
        address = self.resolve(name)
        with self.client.connect(address, PORT) as held:
            self.client.speak_on(held, name.label)
            ports = [{"port": PORT}, UDP, {"port": OTHER_PORT}]
            self.operator.call("PATCH", path, {"spec": {"ports": ports}})
            wait_for("the Service has the port", lambda: (OTHER_PORT, "TCP") in self.operator.service_ports(name.label))
            self.client.speak(name.label, address, OTHER_PORT)
            self.client.speak_on(held, name.label)
            self.operator.call("PATCH", path, {"spec": {"ports": ports[:2]}})
            wait_for("the Service has it no more", lambda: (OTHER_PORT, "TCP") not in self.operator.service_ports(name.label))
            self.client.speak_on(held, name.label)
        check(self.operator.gateways()[name.label] == pid, "its gateway was restarted")
        say("with Reload a port comes and goes without another process; a connection goes on, and the Service has no port too early")

    def delete(self):
        name = self.names[3]
        self.operator.call("DELETE", f"{EXTERNAL_SERVICES}/{name.label}")
        wait_for("its Envoy ends", lambda: name.label not in self.operator.gateways())
        wait_for("its name is the world's", lambda: self.client.resolve(name.dns_name) == name.address)
        say("a deleted ExternalService takes its gateway along")

    def end_in_order(self):
        for one in self.names:
            with open(f"{self.operator.logs}/{one.label}.egress-operator-system.log", encoding="utf-8", errors="replace") as file:
                check(f"{one.address}:{PORT}" in file.read(), f"the log of {one.label} has no access")
        check(self.operator.end(signal.SIGTERM) == 0, "it did not end well")
        say("logs are there; SIGTERM ends everything")

    def die(self):
        # Envoy refuses what this profile renders for UDP.
        self.start(self.names[:2], "--gateway-profile=compatible", more_ports=())
        for one in self.names[:2]:
            self.speak(one)
        self.its_gateway_came(self.names[0].label)
        self.operator.end(signal.SIGKILL)
        say("the compatible profile works too; SIGKILL of the operator ends its gateways")

    def run(self):
        self.start(self.names)
        self.all_speak()
        self.its_gateway_came(self.names[0].label)
        self.kill_at_random()
        self.only_gateways_came()
        self.scale()
        self.change()
        self.reload()
        self.some_speak_udp()
        self.only_gateways_came()
        self.delete()
        self.end_in_order()
        self.die()


def find_envoy():
    found = subprocess.run([ROOT / "scripts/envoy.sh", "--find"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        print("dev_envoy_test.py: LEFT OUT: there is no Envoy (see above)", file=sys.stderr)
        sys.exit(1 if os.environ.get("EGRESS_ENVOY") == "required" else 77)
    return os.path.realpath(found.stdout.strip())


def main():
    binary, envoy = os.path.realpath(sys.argv[1]), find_envoy()
    seed = int(os.environ.get("EGRESS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    say(f"seed {seed}")
    folder = tempfile.mkdtemp()
    test = Test(binary, envoy, folder, seed)
    began, code = time.monotonic(), 1
    try:
        test.run()
        code = 0
    except (Failed, OSError) as error:
        say(f"FAILED with seed {seed}: {error}")
        for one in test.operators:
            print("\n".join(one.log().splitlines()[-60:]), flush=True)
    finally:
        for one in test.operators:
            one.kill()
        shutil.rmtree(folder)
    say(f"{'passed' if code == 0 else 'failed'} after {time.monotonic() - began:.1f} s")
    sys.exit(code)


if __name__ == "__main__":
    main()
