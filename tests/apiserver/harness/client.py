"""A small client of the API server, as a person's: JSON in, JSON out."""
import http.client
import json
import socket
import ssl
import threading
import time

IDLE_SECONDS = 10  # the server closes connections that nobody uses, at a moment of its choice
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"  # JSON is YAML


class ApiError(AssertionError):
    def __init__(self, status, body):
        self.status, self.body = status, body
        self.reason = body.get("reason", "") if isinstance(body, dict) else ""
        message = body.get("message", "") if isinstance(body, dict) else body
        super().__init__(f"{status} {self.reason}: {message}")


class Client:
    """One kept-alive connection a thread."""

    def __init__(self, port, authority, token, timeout=30):
        self.port, self.token, self.timeout = port, token, timeout
        self.trust(authority)

    def trust(self, authority):
        """From here on, and on new connections only."""
        self.context = ssl.create_default_context(cafile=authority)
        self.local = threading.local()

    def _connection(self):
        if time.monotonic() - getattr(self.local, "used", 0) > IDLE_SECONDS:
            self.forget_connection()
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=self.timeout,
                                                                context=self.context)
        return self.local.connection

    def forget_connection(self):
        if getattr(self.local, "connection", None) is not None:
            self.local.connection.close()
        self.local.connection = None

    def ask(self, method, path, body=None, kind="application/json", tries=2):
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
            body = json.dumps(body)
        try:
            connection = self._connection()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            self.local.used = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            self.forget_connection()
            # A kept-alive connection may have been closed under us; a write is only sent again by its caller.
            if tries > 1 and method == "GET":
                return self.ask(method, path, body, kind, tries - 1)
            raise OSError(f"{method} {path}: {error!r}") from error
        try:
            made = json.loads(text) if text else {}
        except ValueError:
            made = text.decode(errors="replace")
        if answer.status >= 300:
            raise ApiError(answer.status, made)
        return made

    def open(self, path):
        """The lines of an answer that goes on, on a connection of its own; end() ends it, also for who reads."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ApiError(answer.status, answer.read().decode())
        answer.end = lambda: connection.sock.shutdown(socket.SHUT_RDWR)
        return answer

    def get(self, path):
        return self.ask("GET", path)

    def find(self, path):
        """The object, or None when there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path):
        return self.get(path)["items"]

    def create(self, path, what):
        return self.ask("POST", path, what)

    def patch(self, path, what, kind=MERGE):
        return self.ask("PATCH", path, what, kind)

    def delete(self, path, options=None):
        return self.ask("DELETE", path, options)
