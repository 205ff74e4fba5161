"""The servers that are compared: each on CPU 0 with one thread, on a port of its own, with all names of the run."""
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request


def free_port():
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


def must_be_unused(port):
    """SO_REUSEPORT would share the port with a forgotten server, silently."""
    for kind in ("udp", "udp6", "tcp", "tcp6"):
        if os.path.exists(f"/proc/net/{kind}") and any(is_taken(line, port, kind) for line in sockets_of(kind)):
            raise SystemExit(f"bench-dns: somebody listens on port {port} ({kind}) already")


def sockets_of(kind):
    """A line each."""
    with open(f"/proc/net/{kind}", encoding="ascii") as file:
        return file.readlines()[1:]


def is_taken(line, port, kind):
    """Of TCP only who listens counts: a connection may have ended, and leave its port for others."""
    listening = "0A"
    _, local, _, state, *_ = line.split()
    return int(local.rsplit(":", 1)[1], 16) == port and (kind.startswith("udp") or state == listening)


def cpu_seconds(pid):
    """Of all threads that a process has; in nanoseconds, where /proc/PID/stat rounds to 10 ms."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        except OSError:
            pass  # it has ended
    return total / 1e9


def processes(pid):
    """It and those it has started: of NSD it is a grandchild that answers."""
    found = [pid]
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                children = file.read().split()
        except OSError:
            continue  # it has ended, or the kernel does not say
        for child in children:
            found += processes(child)
    return found


class Server:
    name, per_query = "", ()

    def __init__(self, work, cpu=0, port=None):
        """`port` is one that another of these shares."""
        self.work, self.port = os.path.join(work, self.name), port or free_port()
        os.makedirs(self.work, exist_ok=True)
        if port is None:
            must_be_unused(self.port)
        with open(f"{self.work}/log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, self.command())], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, cwd=self.work)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def file(self, name, text):
        path = f"{self.work}/{name}"
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        return path

    def wait(self):
        question = b"\0\1\1\0\0\1\0\0\0\0\0\0\6host-0\7example\3com\0\0\1\0\1"
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"bench-dns: {self.name} has ended; see {self.work}/log")
            with socket.socket(type=socket.SOCK_DGRAM) as sock:
                sock.settimeout(0.1)
                try:
                    sock.connect(("127.0.0.1", self.port))
                    sock.send(question)
                    answer = sock.recv(512)
                    if answer[3] & 15 == 0 and answer[7] == 1:
                        return
                except OSError:
                    pass
            time.sleep(0.1)
        raise SystemExit(f"bench-dns: {self.name} does not answer; see {self.work}/log")

    def cpu_seconds(self):
        return sum(cpu_seconds(pid) for pid in processes(self.process.pid))

    def resident(self):
        """Of the largest process: those that are forked share most of it."""
        def of_one(pid):
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return max(of_one(pid) for pid in processes(self.process.pid))

    def counted(self):
        """Queries by the server's own count; None when it has none."""
        return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def floor(program, ttl=300):
    class Floor(Server):
        name = "floor"

        def command(self):
            return [program, self.port, ttl]

    return Floor


def ours(program, make_table, names, upstream=9, flags=(), label="egress-operator", workers=1, host="127.0.0.1"):
    class Ours(Server):
        name = label

        def command(self):
            self.metrics = free_port()
            table = f"{self.work}/table"
            subprocess.run([make_table, str(names), table], check=True)
            # It takes connections and says nothing: one that refused them would be tried again and again, which
            # no query asks for.
            self.silent_api = socket.create_server(("127.0.0.1", 0), backlog=128)
            api = f"http://127.0.0.1:{self.silent_api.getsockname()[1]}"
            config = self.file("kubeconfig", f'{{"clusters": [{{"name": "c", "cluster": {{"server": "{api}"}}}}],'
                                             '"contexts": [{"name": "c", "context": {"cluster": "c"}}],'
                                             '"current-context": "c"}')
            return [program, "run", "--kubeconfig", config, "--dns-addr", f"{host}:{self.port}", "--metrics-addr",
                    f"127.0.0.1:{self.metrics}", "--dns-upstream", f"127.0.0.1:{upstream}", "--dns-workers", str(workers),
                    "--dns-snapshot", table, "--log-level", "error", *flags]

        def stop(self):
            super().stop()
            self.silent_api.close()

        def counted(self):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=5) as page:
                lines = page.read().decode().splitlines()
            return sum(float(one.rsplit(" ", 1)[1]) for one in lines
                       if one.startswith("coredns_dns_requests_total{"))

    return Ours


def _records(names):
    return "".join(f"host-{i} 300 A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n" for i in range(names))


def nsd(names):
    class Nsd(Server):
        name = "nsd"

        def command(self):
            zone = self.file("zone", "$ORIGIN example.com.\n@ 300 SOA a b 1 2 3 4 5\n@ 300 NS a\na 300 A 10.0.0.1\n"
                             + _records(names))
            config = self.file("conf", f"""server:
  ip-address: 127.0.0.1@{self.port}
  server-count: 1
  username: ""
  zonesdir: {self.work}
  database: ""
  pidfile: {self.work}/pid
  xfrdfile: {self.work}/xfrd
  tcp-count: 1000
remote-control:
  control-enable: no
zone:
  name: example.com
  zonefile: {zone}
""")
            return ["/usr/sbin/nsd", "-d", "-c", config]

    return Nsd


def knot(names):
    class Knot(Server):
        name = "knot"

        def command(self):
            self.file("zone", "$ORIGIN example.com.\n@ 300 SOA a b 1 2 3 4 5\n@ 300 NS a\na 300 A 10.0.0.1\n"
                      + _records(names))
            config = self.file("conf", f"""server:
  listen: 127.0.0.1@{self.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  rundir: {self.work}
database:
  storage: {self.work}
zone:
  - domain: example.com
    file: {self.work}/zone
""")
            return ["/usr/sbin/knotd", "-c", config]

    return Knot


def unbound(names, upstream=None):
    class Unbound(Server):
        name = "unbound"

        def command(self):
            data = "" if upstream else "".join(
                f'  local-data: "host-{i}.example.com. 300 A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"\n'
                for i in range(names))
            forward = f"forward-zone:\n  name: .\n  forward-addr: 127.0.0.1@{upstream}\n" if upstream else ""
            config = self.file("conf", f"""server:
  interface: 127.0.0.1@{self.port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: {self.work}
  pidfile: {self.work}/pid
  do-daemonize: no
  use-syslog: no
  do-not-query-localhost: no
  module-config: iterator
  incoming-num-tcp: 100
  so-reuseport: yes
{data}{forward}remote-control:
  control-enable: no
""")
            return ["/usr/sbin/unbound", "-d", "-c", config]

    return Unbound


def dnsdist(upstream):
    class Dnsdist(Server):
        name = "dnsdist"

        def command(self):
            config = self.file("conf", f"""setLocal("127.0.0.1:{self.port}", {{tcpFastOpenQueueSize=0}})
newServer({{address="127.0.0.1:{upstream}", healthCheckMode="up"}})
getPool(""):setCache(newPacketCache(200000, {{maxTTL=3600}}))
""")
            return ["/usr/bin/dnsdist", "--supervised", "--disable-syslog", "-C", config]

    return Dnsdist


def coredns(program, names, upstream=None, cached=True):
    class CoreDns(Server):
        name = "coredns"

        def command(self):
            if upstream:
                body = f"  forward . 127.0.0.1:{upstream}\n" + ("  cache 3600\n" if cached else "")
            else:
                hosts = self.file("hosts", "".join(
                    f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} host-{i}.example.com\n" for i in range(names)))
                body = f"  hosts {hosts}\n"
            config = self.file("Corefile", f".:{self.port} {{\n  bind 127.0.0.1\n{body}}}\n")
            return ["env", "GOMAXPROCS=1", program, "-conf", config]

    return CoreDns


def there(path):
    return bool(path) and (os.path.exists(path) or shutil.which(path) is not None)
