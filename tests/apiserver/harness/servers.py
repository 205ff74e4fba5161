"""etcd, kube-apiserver and kube-controller-manager, in the manner of controllers' test harnesses."""
import datetime
import json
import os
import shutil
import subprocess
import tempfile
import time

from .audit import Audit
from .certificates import Authority
from .client import ApiError, Client
from .objects import NAMESPACE
from .ports import free_ports
from .processes import Process
from .waiting import eventually

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
USER = f"system:serviceaccount:{NAMESPACE}:egress-operator"

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "users": [USER]}, {"level": "None"}],
}


def assets():
    """The folder with the servers; LookupError with the reason when there is none."""
    found = subprocess.run([f"{ROOT}/scripts/apiserver.sh", "--find"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise LookupError(found.stderr.strip())
    return found.stdout.strip()


def kubectl_program():
    found = subprocess.run([f"{ROOT}/scripts/kubectl.sh", "--find"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise LookupError(found.stderr.strip())
    return found.stdout.strip()


class Cluster:
    """A control plane of one test class. Everything is on loopback, and in a folder that goes with it."""

    def __init__(self, deploy="deploy/", apiserver_arguments=(), controllers=("garbage-collector-controller",)):
        self.folder = tempfile.mkdtemp(prefix="egress-apiserver-")
        self.programs, self.kubectl_path = assets(), kubectl_program()
        self.etcd_port, self.etcd_peer, self.port, self.manager_port = free_ports(4)
        self.apiserver_arguments, self.controllers = list(apiserver_arguments), controllers
        self.authority = Authority(self.folder)
        self.certificate, self.key = f"{self.folder}/apiserver.crt", f"{self.folder}/apiserver.key"
        self.authority.issue(self.certificate, self.key)
        self._write_files()
        self.admin = Client(self.port, self.authority.certificate, "admin-token")
        self.audit = Audit(f"{self.folder}/audit.log")
        self.etcd = self.apiserver = self.manager = None
        began = time.monotonic()
        self.start_etcd()
        self.start_apiserver()
        if deploy:
            self.kubectl("apply", "-k", f"{ROOT}/{deploy}")
            eventually("the CRD is served", lambda: self.admin.get("/apis/egress.monzo.com/v1/externalservices"))
        if controllers:
            self.start_manager()
        print(f"cluster: up after {time.monotonic() - began:.1f} s", flush=True)

    def _write_files(self):
        at = self.folder
        subprocess.run(["openssl", "genrsa", "-out", f"{at}/sa.key", "2048"], check=True, stderr=subprocess.DEVNULL)
        with open(f"{at}/tokens.csv", "w", encoding="ascii") as file:
            for user in ("admin", "manager"):
                file.write(f'{user}-token,{user},{user},"system:masters"\n')
        with open(f"{at}/audit.json", "w", encoding="ascii") as file:
            json.dump(AUDIT_POLICY, file)
        for user in ("admin", "manager"):
            self.write_kubeconfig(f"{at}/{user}.kubeconfig", {"token": f"{user}-token"})

    def write_kubeconfig(self, file, user, port=None):
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{port or self.port}",
                                                   "certificate-authority": self.authority.certificate}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
        with open(file, "w", encoding="ascii") as out:
            json.dump(config, out)
        return file

    def start_etcd(self):
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.etcd_peer}"
        self.etcd = Process(
            [f"{self.programs}/etcd", "--name", "default", "--data-dir", f"{self.folder}/etcd", "--unsafe-no-fsync",
             "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
             "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", "--log-level", "warn",
             # As kubeadm sets it: without, bookmarks of kinds that do not change have nothing new to tell.
             "--watch-progress-notify-interval=5s"],
            f"{self.folder}/etcd.log")

    def start_apiserver(self, *more):
        began = datetime.datetime.now(datetime.timezone.utc)
        self._run_apiserver(more)
        try:
            self.wait_for_apiserver()
        except SystemError:
            # A Service that is made in the instant of its first check of addresses has it end a minute later. A kubelet
            # would start it again.
            if "start-service-ip-repair-controllers" not in self.apiserver.tail(3):
                raise
            self._run_apiserver(more)
            self.wait_for_apiserver()
        self.audit.starts.append((began, datetime.datetime.now(datetime.timezone.utc)))

    def _run_apiserver(self, more):
        at = self.folder
        self.apiserver = Process(
            [f"{self.programs}/kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
             "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={self.port}",
             f"--cert-dir={at}/certs", f"--tls-cert-file={self.certificate}", f"--tls-private-key-file={self.key}",
             "--service-cluster-ip-range=10.0.0.0/16", "--endpoint-reconciler-type=none", "--allow-privileged=true",
             "--authorization-mode=RBAC", f"--token-auth-file={at}/tokens.csv",
             "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
             "--disable-admission-plugins=ServiceAccount", "--service-account-issuer=https://egress-operator.test",
             f"--service-account-key-file={at}/sa.key", f"--service-account-signing-key-file={at}/sa.key",
             f"--audit-policy-file={at}/audit.json", f"--audit-log-path={at}/audit.log",
             *self.apiserver_arguments, *more], f"{at}/kube-apiserver.log")

    def wait_for_apiserver(self):
        def ready():
            self.admin.forget_connection()
            return self.admin.get("/readyz") == "ok"

        self.apiserver.wait_for("kube-apiserver says /readyz", ready, 90)

    def restart_apiserver(self, kill=True, *more):
        (self.apiserver.kill if kill else self.apiserver.stop)()
        self.start_apiserver(*more)

    def replace_certificates(self, wait=lambda: None):
        """Another authority, and a serving certificate of it. The API server is away meanwhile, and wait()s."""
        self.apiserver.kill()
        made = Authority(self.folder, "next-ca")
        # As a mounted ConfigMap changes: the file the operator was given has new content.
        os.replace(made.certificate, self.authority.certificate)
        made.certificate = self.authority.certificate
        made.issue(self.certificate, self.key)
        self.authority = made
        self.admin.trust(made.certificate)
        wait()
        self.start_apiserver()

    def start_manager(self):
        config = f"{self.folder}/manager.kubeconfig"
        self.manager = Process(
            [f"{self.programs}/kube-controller-manager", f"--kubeconfig={config}",
             f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}",
             "--bind-address=127.0.0.1", f"--secure-port={self.manager_port}", f"--cert-dir={self.folder}/certs-manager",
             "--leader-elect=false", "--use-service-account-credentials=false",
             "--controllers=" + ",".join(self.controllers), "--kube-api-qps=1000", "--kube-api-burst=2000"],
            f"{self.folder}/kube-controller-manager.log")

    def kubectl(self, *arguments, check=True, stdin=None):
        """What it printed; with check=False the finished process."""
        made = subprocess.run([self.kubectl_path, "--kubeconfig", f"{self.folder}/admin.kubeconfig", *arguments],
                              capture_output=True, text=True, input=stdin, check=False, timeout=120)
        if not check:
            return made
        assert made.returncode == 0, f"kubectl {' '.join(arguments)}: {made.stderr}"
        return made.stdout

    def operator_token(self, seconds=3600):
        """Waits for a server that is away."""
        made = eventually("a token is made", lambda: self.admin.create(
            f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/egress-operator/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
             "spec": {"expirationSeconds": seconds}}), 90)
        return made["status"]["token"]

    def stop(self):
        for one in (self.manager, self.apiserver, self.etcd):
            if one:
                one.kill()
        if os.environ.get("EGRESS_TEST_KEEP"):
            print(f"kept: the logs in {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


__all__ = ["ApiError", "Cluster", "ROOT", "USER"]
