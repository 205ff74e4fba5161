"""Upstreams, which say who they are, and clients."""
import contextlib
import socket
import ssl
import struct
import subprocess
import threading


def _listen(address, port, kind):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


def reset_on_close(of):
    of.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Tcp:
    """Speaks first: a line with its address. Then it sends back what it gets."""

    def __init__(self, address, port, context=None):
        self.address, self.port, self.context = address, port, context
        self.peers, self.heard, self._open = [], [], []  # peers: connections; heard: those that said something
        self.start()

    def start(self):
        self._socket = _listen(self.address, self.port, socket.SOCK_STREAM)
        self._socket.listen(1024)
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def _accept(self, listening):
        while True:
            try:
                made, peer = listening.accept()
            except OSError:
                return
            self.peers.append(peer[0])
            self._open.append(made)
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _serve(self, made):
        with contextlib.suppress(OSError):
            with self.context.wrap_socket(made, server_side=True) if self.context else made as peer:
                self.heard += [self.address] if self.context else []
                peer.sendall(f"{self.address}\n".encode())
                while data := peer.recv(65536):
                    self.heard.append(self.address)
                    peer.sendall(data)

    def die(self, and_connections=True):
        """As a host that goes down: no longer accepts, and resets what it had."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in self._open if and_connections else []:
            with contextlib.suppress(OSError):
                reset_on_close(one)
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()


class Udp:
    """Answers a datagram with its address and what was in it."""

    def __init__(self, address, port):
        self.address, self.peers = address, []
        self._socket = _listen(address, port, socket.SOCK_DGRAM)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            data, sender = self._socket.recvfrom(65536)
            self.peers.append(sender[0])
            self._socket.sendto(self.address.encode() + b" " + data, sender)


def certificate(folder):
    """A server's TLS context, self-signed."""
    key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/CN=upstream", "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def connect(address, port, source=None, seconds=10.0):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.settimeout(seconds)
    if source:
        made.bind((source, 0))
    made.connect((address, port))
    return made


CLOSED = "closed"


def read_line(of):
    """What the other side says first; CLOSED when it hangs up instead. TimeoutError when it does neither."""
    data = b""
    try:
        while not data.endswith(b"\n"):
            more = of.recv(256)
            if not more:
                return CLOSED
            data += more
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        return CLOSED
    return data.decode().strip()


def who(address, port, **options):
    """Which upstream a new connection ends at."""
    with connect(address, port, **options) as made:
        return read_line(made)


def alive(connection, word=b"still here"):
    """Does it still carry data there and back?"""
    try:
        connection.sendall(word)
        data = b""
        while len(data) < len(word):
            more = connection.recv(256)
            if not more:
                return False
            data += more
        return data == word
    except (ConnectionResetError, BrokenPipeError):
        return False


def alive_large(connection, block):
    """The same with more than the buffers hold: sends and reads at one time."""
    sender = threading.Thread(target=connection.sendall, args=(block,))
    sender.start()
    left = len(block)
    while left and (more := connection.recv(1 << 20)):
        left -= len(more)
    sender.join()
    return left == 0


def ask_udp(address, port, word="hello", source=None, seconds=2.0):
    """(upstream, word); None without an answer."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(seconds)
        if source:
            made.bind((source, 0))
        made.sendto(word.encode(), (address, port))
        try:
            upstream, _, rest = made.recv(65536).decode().partition(" ")
            return upstream, rest
        except socket.timeout:
            return None


def client_hello(name):
    """What a TLS client says first when it wants `name`."""
    said = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said, server_hostname=name).do_handshake()
    return said.read()


def connect_named(address, port, name, upstream):
    """A connection that names a host as TLS does, once a plain upstream has answered; CLOSED when it was closed instead."""
    made, hello = connect(address, port), client_hello(name)
    wanted, got = f"{upstream}\n".encode() + hello, b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        made.sendall(hello)
        while len(got) < len(wanted) and (more := made.recv(4096)):
            got += more
    if got == wanted:
        return made
    made.close()
    assert not got, f"{got} of another upstream than {upstream}"
    return CLOSED


def who_tls(address, port, name, **options):
    """Which upstream a TLS connection that names `name` (None: nobody) ends at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect(address, port, **options) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as made:
                return read_line(made)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            return CLOSED
