"""Asks all replicas for all names all the time, and keeps each answer that was wrong, and each that did not come.

A name is stable from when every replica gave the wanted answer until a step begins that may change it: in that time
no other answer is right. In between, the old and the new are. And while a fault keeps news from a replica, and until it
has caught up, it may go on with a gateway of the name that was.

The real address is another matter: from when every replica gave the gateway's until a step about the ExternalService
begins it is wrong, whatever becomes of the Service and of the replica, unless the hijack is among what the replica has
to catch up with.
"""
import random
import threading
import time

from harness import dns

from .upstream import ADDRESS

TIME = 3.0  # seconds; an answer that takes longer is missing


class Names:
    """What is right for each name. Thread-safe."""

    def __init__(self):
        self._lock, self._stable, self._ever, self._version, self._changing = threading.Lock(), {}, {}, {}, {}
        self._changed = {}   # when a change ended
        self._hijacked = {}  # since when the real address is wrong

    def all(self):
        with self._lock:
            return list(self._version)

    def begin(self, name, still_hijacked=False):
        """Something begins that may change the answer, and lasts until end()."""
        with self._lock:
            if not still_hijacked:
                self._hijacked.pop(name, None)
            self._stable[name] = None
            self._version[name] = self._version.get(name, 0) + 1
            self._changing[name] = self._changing.get(name, 0) + 1
            self._ever.setdefault(name, {ADDRESS})

    def end(self, name):
        with self._lock:
            self._changing[name] -= 1
            self._version[name] += 1
            self._changed[name] = time.monotonic()

    def version(self, name):
        with self._lock:
            return self._version[name]

    def settle(self, name, address, version):
        """Unless something began or ended since the version."""
        with self._lock:
            if self._version[name] == version and not self._changing[name]:
                self._stable[name] = address
                if address != ADDRESS:
                    self._hijacked.setdefault(name, time.monotonic())

    def expect_also(self, name, address):
        with self._lock:
            self._ever.setdefault(name, {ADDRESS}).add(address)

    def was_right(self, name, address):
        with self._lock:
            return address in self._ever[name]

    def has_changed_since(self, name, when):
        with self._lock:
            return self._changed.get(name, 0.0) >= when

    def hijacked_since(self, name):
        """Infinity when the real address may be right."""
        with self._lock:
            return self._hijacked.get(name, float("inf"))

    def right(self, name):
        """(the only address that is right now, or None; version)"""
        with self._lock:
            return self._stable[name], self._version[name]

    def unsettled(self):
        with self._lock:
            return [name for name, stable in self._stable.items() if stable is None]


class Witness(threading.Thread):
    def __init__(self, names, replicas, seed):
        super().__init__(daemon=True)
        self.names, self.replicas, self.choice = names, replicas, random.Random(seed)
        self.asked, self.slowest, self.wrong, self.late, self.enough = 0, 0.0, [], 0, threading.Event()
        self.kept = 0  # answers about a name that stays hijacked, while something is done to its Service
        self.unclear = {}  # (name, address) and what to say if it never was one of the name's

    def run(self):
        while not self.enough.is_set():
            names, replicas = self.names.all(), [one for one in self.replicas if one.asked]
            if names and replicas:
                self.ask(self.choice.choice(replicas), self.choice.choice(names))
            self.enough.wait(0.004)

    def ask(self, replica, name):
        life, hijacked = replica.life, self.names.hijacked_since(name)
        right, version = self.names.right(name)
        began = time.monotonic()
        answer = dns.ask(replica.operator.dns_port, name, timeout=TIME)
        if replica.life != life or not replica.asked:
            return  # it was struck in the meantime
        self.asked += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        _, now = self.names.right(name)
        said = f"{time.strftime('%T')}.{int(time.time() * 1000) % 1000:03} {name} asked of {replica.name}: {answer}"
        if not answer or answer[0] != dns.NOERROR or len(answer[1]) != 1:
            self.wrong.append(said)
        elif answer[1][0] == ADDRESS and self.leaks(replica, name, hijacked):
            self.wrong.append(f"{said}, and it is hijacked")
        elif now != version or not right:
            self.kept += self.was_hijacked(name, hijacked)
            self.unclear[name, answer[1][0]] = said
        elif answer[1][0] != right:
            behind = time.monotonic() < replica.news_by and self.names.was_right(name, answer[1][0])
            if behind and (right == ADDRESS or self.names.has_changed_since(name, replica.no_news_since)):
                self.late += 1
            else:
                self.wrong.append(f"{said}, right is {right}")

    def was_hijacked(self, name, hijacked):
        return hijacked != float("inf") and self.names.hijacked_since(name) == hijacked

    def leaks(self, replica, name, hijacked):
        """Whether the real address was wrong all the time; `hijacked` is since when it was before the question."""
        if not self.was_hijacked(name, hijacked):
            return False
        return time.monotonic() >= replica.news_by or hijacked < replica.no_news_since

    def all_wrong(self):
        """With those that no state of the name explains."""
        return self.wrong + [said for (name, address), said in self.unclear.items()
                             if not self.names.was_right(name, address)]

    def stop(self):
        self.enough.set()
        self.join()
