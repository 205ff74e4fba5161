"""Whether two workers do twice as much as one: each works off full sockets while the generator sleeps. Beside them two
processes of the floor, which share nothing at all: what they do not gain the machine does not give. CPU a query is the
figure to trust where others work, too: what two need more of it than one is what they lose to each other."""
import json
import os
import statistics
import subprocess
import tempfile

NAMES = 10_000
PACKETS = 4500  # a worker; its socket holds 5,000
AT_LEAST = 40  # a drain takes only 20 ms


class Drained:
    """Servers that are one to their clients."""

    def __init__(self, *running):
        self.running, self.rates, self.cpu_us = running, [], []

    def put_first(self):
        """Where we may: what else the machine does must not come between, for these 20 ms."""
        for server in self.running:
            for thread in os.listdir(f"/proc/{server.process.pid}/task"):
                try:
                    os.sched_setscheduler(int(thread), os.SCHED_FIFO, os.sched_param(1))
                except OSError:
                    return

    def measure(self, program, workers):
        command = ["taskset", "-c", "1", program, self.running[0].port, NAMES, PACKETS * workers] + [one.process.pid for one in self.running]
        before = self.cpu_seconds()
        said = json.loads(subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout)
        if said["answered"] < 0.9 * said["sent"]:
            raise SystemExit(f"bench-dns: {workers} workers lost too much: {said}")
        self.rates.append(said["qps"])
        self.cpu_us.append((self.cpu_seconds() - before) * 1e6 / said["answered"])

    def cpu_seconds(self):
        return sum(server.cpu_seconds() for server in self.running)

    def stop(self):
        for server in self.running:
            server.stop()


def run(program, ours, floor, rounds):
    """`ours` gives a server of so many workers."""
    contest = {}
    with tempfile.TemporaryDirectory(prefix="bench-dns-") as work:
        try:
            contest["egress-operator", 1] = Drained(ours(1)(work, cpu="0"))
            contest["egress-operator", 2] = Drained(ours(2)(work, cpu="0,1"))
            contest["floor", 1] = Drained(floor(work, cpu="0"))
            first = floor(work, cpu="0")
            contest["floor", 2] = Drained(first, floor(work, cpu="1", port=first.port))
            for one in contest.values():
                one.put_first()
            for _ in range(max(rounds, AT_LEAST)):
                for (_, workers), one in contest.items():
                    one.measure(program, workers)
        finally:
            for one in contest.values():
                one.stop()
    tell(contest)


def tell(contest):
    print("\ntwo workers: working off full sockets, UDP, 10,000 names, the generator asleep\n")
    print("| server | workers | queries/s | (quartiles) | × one | CPU µs a query | × one |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (name, workers), one in contest.items():
        alone = contest[name, 1]
        low, middle, high = statistics.quantiles(one.rates, n=4)
        cpu = statistics.median(one.cpu_us)
        print(f"| {name} | {workers} | {middle:,.0f} | {low:,.0f}–{high:,.0f} | {middle / statistics.median(alone.rates):.2f} | "
              f"{cpu:.2f} | {cpu / statistics.median(alone.cpu_us):.2f} |", flush=True)
