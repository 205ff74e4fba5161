"""The world around gateways: a network namespace with upstreams, clients and a DNS server, and a bridge to the pods.

Everything runs in namespaces that end with the test, so rendered files run byte for byte as in a pod: on their own ports, with
names looked up through /etc/resolv.conf, beside other tests. A process namespace sees to it that nothing outlives a test that
is killed.
"""
import os
import signal
import subprocess
import sys

from .suite import leave_out

NODE = "10.244.0.1"  # the bridge: gateways see clients come from here, and ask DNS here
PUBLIC, PRIVATE = "203.0.113", "10.20.0"  # every address of these /24 is the world's own
SILENT = "192.0.2.1"  # nobody's: what is sent there vanishes, as nothing is forwarded
PUBLIC6 = "2001:db8:1::10"
_MARK = "EGRESS_ENVOY_WORLD"


def run(*arguments):
    subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL)


def public(last):
    return f"{PUBLIC}.{last}"


def private(last):
    return f"{PRIVATE}.{last}"


def come(last):
    """An address that answers from now on, until go(): packets to it vanish then, as those to SILENT."""
    address = f"192.0.2.{last}"
    run("ip", "address", "add", f"{address}/32", "dev", "lo")
    return address


def go(address):
    run("ip", "address", "del", f"{address}/32", "dev", "lo")


def _unshare(*arguments):
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *rights, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *arguments]


def enter():
    """Starts the test file again, inside; returns there."""
    if os.environ.get(_MARK) == str(os.getppid()):
        _furnish()
        return
    if subprocess.run(_unshare("true"), capture_output=True, check=False).returncode != 0:
        leave_out("they need the right to make network namespaces (run as root)")
    # In the new process namespace the parent's number is 0.
    os.execvpe("unshare", _unshare(sys.executable, *sys.orig_argv[1:]), {**os.environ, _MARK: "0"})


def _furnish():
    # The first process of a namespace hears no signal that it does not handle; with it all others end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run("ip", "link", "set", "lo", "up")
    for net in (PUBLIC, PRIVATE):
        run("ip", "address", "add", f"{net}.1/24", "dev", "lo")
    run("ip", "address", "add", PUBLIC6, "dev", "lo", "nodad")
    run("ip", "link", "add", "pods", "type", "bridge")
    run("ip", "address", "add", f"{NODE}/24", "dev", "pods")
    run("ip", "address", "add", "fd00:244::1/64", "dev", "pods", "nodad")
    run("ip", "link", "set", "pods", "up")
