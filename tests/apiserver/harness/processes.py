"""Processes of a test: started with a log, ended with the test whatever happens."""
import atexit
import os
import signal
import subprocess
import sys

from .waiting import eventually

_running = []

# A test that is killed runs none of its own clean-up: when its end of the pipe closes, this kills what it has been told
# of, if that is still the process that was meant.
_MARK = f"EGRESS_TEST={os.getpid()}"
_GUARDIAN = """
import os, signal, sys
for pid in sys.stdin.read().split():
    try:
        if sys.argv[1].encode() in open(f"/proc/{pid}/environ", "rb").read().split(bytes(1)):
            os.kill(int(pid), signal.SIGKILL)
    except OSError:
        pass
"""


class _Guardian:
    def __init__(self):
        self._process = None

    def watch(self, pid):
        if self._process is None:
            self._process = subprocess.Popen([sys.executable, "-c", _GUARDIAN, _MARK], stdin=subprocess.PIPE, text=True,
                                             start_new_session=True)
        self._process.stdin.write(f"{pid}\n")
        self._process.stdin.flush()


_guardian = _Guardian()


class Process:
    """One program in a session of its own; its output goes to a file."""

    def __init__(self, arguments, log, environment=None):
        self.arguments, self.log = [str(a) for a in arguments], log
        self.name = os.path.basename(self.arguments[0])
        with open(log, "ab") as out:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **dict([_MARK.split("=")]), **(environment or {})}, start_new_session=True)
        _running.append(self)
        _guardian.watch(self.pid)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        if self.alive():
            self.signal(signal.SIGKILL)
        return self.process.wait()

    def stop(self, seconds=60):
        """SIGTERM, and the exit code."""
        if self.alive():
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {seconds} s of SIGTERM; {self.tail()}") from None

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self, lines=25):
        return "the end of its log:\n" + "\n".join(self.output().splitlines()[-lines:])

    def wait_for(self, what, probe, seconds=60):
        def probe_while_alive():
            if not self.alive():
                raise SystemError(f"{self.name} has ended with {self.process.returncode}; {self.tail()}")
            return probe()

        return eventually(what, probe_while_alive, seconds)

    # Of /proc: bytes, and seconds of one core.
    def resident(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu(self):
        """In seconds, of the threads that it has: what /proc/PID/stat says is in hundredths."""
        used = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                    used += int(file.read().split()[0])
            except FileNotFoundError:
                continue  # ended meanwhile
        return used / 1e9


@atexit.register
def _end_all():
    for one in reversed(_running):
        try:
            one.kill()
        except OSError:
            pass
