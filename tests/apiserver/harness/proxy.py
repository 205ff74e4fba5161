"""The way to a server, which a test cuts, holds up and opens again. TLS passes through unread."""
import socket
import threading
import time


class Proxy:
    """One thread a direction of each connection; bytes keep their order whatever happens."""

    def __init__(self, target_port):
        self.target_port = target_port
        self._open = {"there": threading.Event(), "back": threading.Event()}
        for one in self._open.values():
            one.set()
        self.bytes_a_second = None  # what comes back, on each connection; None: as it comes
        self._refuses, self._pairs, self._lock = False, set(), threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, *directions):
        """From now on nothing arrives ("there", "back", or both): a network that drops packets."""
        for one in directions or self._open:
            self._open[one].clear()

    def release(self):
        """What was held up arrives now."""
        for one in self._open.values():
            one.set()

    def cut(self):
        """Connections are reset, and new ones refused."""
        self._refuses = True
        self._reset_all()

    def mend(self):
        """All as it was; what was held up on old connections is lost with them."""
        self._reset_all()
        self._refuses = False
        self.release()

    def close(self):
        self._listener.close()
        self.cut()
        self.release()

    def _reset_all(self):
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for one in pair:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()
                continue
            pair = (client, server)
            for one in pair:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.add(pair)
            for source, sink, direction in ((client, server, "there"), (server, client, "back")):
                threading.Thread(target=self._pump, args=(pair, source, sink, direction), daemon=True).start()

    def _pump(self, pair, source, sink, direction):
        try:
            while piece := source.recv(16384):
                self._open[direction].wait()
                if direction == "back" and self.bytes_a_second:
                    time.sleep(len(piece) / self.bytes_a_second)
                sink.sendall(piece)
        except OSError:
            pass
        # A FIN waits in the queue like data.
        self._open[direction].wait()
        for one in pair:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self._lock:
            last = pair not in self._pairs
            self._pairs.discard(pair)
        if last:
            for one in pair:
                one.close()
