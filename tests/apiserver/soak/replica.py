"""A replica of the operator with a way to the API server of its own, and what befalls it."""
import contextlib
import signal
import threading
import time

from harness.proxy import Proxy


# How long after a fault a watch may still wait to be asked for again (its back-off), and then catch up.
CATCHING_UP = 40


class Replica:
    """`asked`: it owes answers. `life` changes whenever it is struck."""

    def __init__(self, test, name, upstream):
        self.test, self.name, self.upstream = test, name, upstream
        self.way, self.life, self.starts, self.asked = Proxy(test.cluster.port), 0, 0, False
        self.lock = threading.Lock()  # one fault at a time
        self.resident = {}            # [(seconds, bytes)] of each life of the process
        # From news_by on it knows what the API server knows; until no_news_since it did.
        self.faults, self.news_by, self.no_news_since, self.count = 0, 0.0, 0.0, threading.Lock()
        self.start()

    def start(self):
        self.starts += 1
        self.operator = self.test.operator(
            "--enable-leader-election", "--leader-elect-lease-duration=6s", "--enable-pod-disruption-budgets",
            "--kube-watch-timeout=15s", f"--dns-snapshot={self.test.cluster.folder}/{self.name}.table",
            name=f"{self.name}-{self.starts}", upstream=self.upstream, api_port=self.way.port, wait=False)
        self.resident[self.operator.pid] = []

    def serve(self, seconds=90):
        self.operator.wait_until_ready(seconds)
        self.asked = True

    def silence(self):
        self.life += 1
        self.asked = False

    def suffer(self, fault, wait):
        """wait() lasts as long as the fault."""
        with self.lock, self.out_of_touch():
            getattr(self, "_" + fault.replace(" ", "_"))(wait)

    @contextlib.contextmanager
    def out_of_touch(self):
        with self.count:
            if time.monotonic() > self.news_by:
                # What came last may be on the way yet, and is in the saved table a second later.
                self.no_news_since = time.monotonic() - 2
            self.faults, self.news_by = self.faults + 1, float("inf")
        yield
        with self.count:
            self.faults -= 1
            if self.faults == 0:
                self.news_by = time.monotonic() + CATCHING_UP

    def _cut_off(self, wait):
        self.way.cut()
        wait()
        self.way.mend()

    def _unheard(self, wait):
        self.way.hold("there")
        wait()
        self.way.release()

    def _deaf(self, wait):
        self.way.hold("back")
        wait()
        self.way.release()

    def _killed(self, wait):
        self.silence()
        self.operator.kill()
        wait()
        self.start()
        self.serve()

    def _stopped(self, wait):
        self.silence()
        self.operator.signal(signal.SIGTERM)
        wait()
        code = self.operator.stop()
        assert code == 0, f"{self.operator.log}: exit code {code} after SIGTERM; {self.operator.tail()}"
        self.start()
        self.serve()

    def _paused(self, wait):
        self.silence()
        self.operator.pause()
        wait()
        self.operator.resume()
        self.asked = True

    def _new_token(self, _):
        self.operator.write_token(self.test.cluster.operator_token())
