"""A pod in namespaces of its own, and in it a gateway: real Envoy on what the operator rendered, started as the Deployment says."""
import http.client
import itertools
import os
import tempfile

from apiserver.harness.processes import Process

from . import world
from .rendering import HARDENED, container, render
from .volume import ConfigVolume
from .suite import envoy

_numbers = itertools.count(10)
# The image's files, as far as Envoy needs them: its program, the configuration and what a kubelet mounts.
_INSIDE = """
set -e
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /mnt
mount -t tmpfs tmpfs /etc
echo "nameserver $NODE" >/etc/resolv.conf
echo "127.0.0.1 localhost" >/etc/hosts
mkdir /etc/envoy
mount --bind "$CONFIG" /etc/envoy
touch /mnt/envoy
mount --bind "$ENVOY_PROGRAM" /mnt/envoy
chmod 1777 /dev/shm
ip link set lo up
echo "$SYSCTL" >/proc/sys/net/ipv4/ip_unprivileged_port_start
[ "$READ_ONLY" != yes ] || mount -o remount,bind,ro /
echo ready
exec sleep infinity
"""


class Pod:
    def __init__(self, security, folder):
        """security: the pod's and the container's securityContext, as one."""
        self.number = next(_numbers)
        self.address, self.address6 = f"10.244.0.{self.number}", f"fd00:244::{self.number:x}"
        self.security, self.folder = security, folder
        os.mkdir(f"{folder}/config", 0o755)
        sysctls = {one["name"]: one["value"] for one in security.get("sysctls", [])}
        self.holder = Process(
            ["unshare", "--net", "--mount", "sh", "-c", _INSIDE], f"{folder}/pod.log",
            {"NODE": world.NODE, "CONFIG": f"{folder}/config", "ENVOY_PROGRAM": envoy(),
             "SYSCTL": sysctls.get("net.ipv4.ip_unprivileged_port_start", "1024"),
             "READ_ONLY": "yes" if security.get("readOnlyRootFilesystem") else "no"})
        self.holder.wait_for("the pod is there", lambda: "ready" in self.holder.output(), 10)
        self._attach()

    def _attach(self):
        outside = f"pod{self.number}"
        world.run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        world.run("ip", "link", "set", outside, "master", "pods", "up")
        inside = ["nsenter", "--net", "-t", str(self.holder.pid), "ip"]
        world.run(*inside, "link", "set", "eth0", "up")
        world.run(*inside, "address", "add", f"{self.address}/24", "dev", "eth0")
        world.run(*inside, "address", "add", f"{self.address6}/64", "dev", "eth0", "nodad")
        world.run(*inside, "route", "add", "default", "via", world.NODE)
        world.run(*inside, "-6", "route", "add", "default", "via", "fd00:244::1")

    def uid(self):
        return self.security.get("runAsUser", 0)

    def command(self, *arguments):
        """What runs it in the pod with the rights of its container."""
        rights = ["--reuid", str(self.uid()), "--regid", str(self.security.get("runAsGroup", 0)), "--clear-groups"]
        if self.security.get("allowPrivilegeEscalation") is False:
            rights.append("--no-new-privs")
        if "ALL" in self.security.get("capabilities", {}).get("drop", []):
            rights += ["--bounding-set", "-all", "--inh-caps", "-all"]
        return ["nsenter", "--net", "--mount", "-t", str(self.holder.pid), "setpriv", *rights, *arguments]

    def remove(self):
        self.holder.kill()


class Gateway(Process):
    """Access logs are flushed at once, unless exact is set; everything else is as rendered, but for what `change` does to
    envoy.yaml. stdout: a named pipe that somebody reads, in place of a log. owns_stdout: container runtimes give standard
    output to the container's user."""

    def __init__(self, external_service, profile=HARDENED, flags=(), exact=False, change=None, stdout=None, owns_stdout=True):
        self._folder = tempfile.TemporaryDirectory(prefix="egress-gateway-")
        os.chmod(self._folder.name, 0o755)
        self.name_of = external_service["metadata"]["name"]
        self.children = render([external_service], profile, *flags)[self.name_of]
        template = self.children["Deployment"]["spec"]["template"]
        self.template = template
        inside = container(self.children)
        self.pod = Pod({**template["spec"].get("securityContext", {}), **inside.get("securityContext", {})}, self._folder.name)
        self.address, self.address6 = self.pod.address, self.pod.address6
        self.admin_port = int(template["metadata"]["annotations"]["egress.monzo.com/admin-port"])
        self._volume = ConfigVolume(f"{self.pod.folder}/config")
        data = dict(self.children["ConfigMap"]["data"])
        if change:
            data["envoy.yaml"] = change(data["envoy.yaml"])
        self.deliver(data)
        arguments = [*inside.get("args", ["-c", "/etc/envoy/envoy.yaml"]), *([] if exact else ["--file-flush-interval-msec", "20"])]
        self.start_again = lambda: self._start(arguments, stdout, owns_stdout)
        self.start_again()

    def _start(self, arguments, stdout, owned):
        log = f"{self._folder.name}/envoy.log"
        with open(log, "wb"):
            pass
        if owned:
            os.chown(stdout or log, self.pod.uid(), -1)
        else:
            os.chmod(log, 0o600)
        super().__init__(self.pod.command("/mnt/envoy", *arguments), stdout or log)
        self.log = log

    def deliver(self, data):
        """What the kubelet does some time after the ConfigMap has changed."""
        self._volume.update(data)

    def take_up(self, external_service, flags=()):
        """The ExternalService was changed: what is rendered now is in the ConfigMap. Returns whether the pods may stay."""
        self.children = render([external_service], HARDENED, *flags)[self.name_of]
        self.deliver(self.children["ConfigMap"]["data"])
        return self.children["Deployment"]["spec"]["template"] == self.template

    def listeners(self):
        return {line.split("::", 1)[0] for line in self.http("/listeners")[1].splitlines()}

    def http(self, path, method="GET", seconds=10):
        """(status, text) of the annotated port."""
        connection = http.client.HTTPConnection(self.address, self.admin_port, timeout=seconds)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def wait_until_ready(self, seconds=20):
        """As the kubelet asks."""
        probe = container(self.children)["readinessProbe"]["httpGet"]
        self.wait_for("the gateway is ready", lambda: self.http(probe["path"])[0] == 200, seconds)
        return self

    def stats(self):
        """The samples of /stats/prometheus: by name and labels, as they are written."""
        lines = [line for line in self.http("/stats/prometheus")[1].splitlines() if line and not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}

    def remove(self):
        self.kill()
        self.pod.remove()
        self._folder.cleanup()
