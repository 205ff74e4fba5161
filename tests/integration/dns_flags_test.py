#!/usr/bin/env python3
"""Flags of DNS on the whole program: what they say is seen in what queries are answered with."""
import json
import os
import socket
import socketserver
import ssl
import struct
import threading
import unittest

from dns_world import DnsTest, dns, eventually, need, slack, steady_ports
from harness.certificates import Authority
from upstream import question_end

PTR, REFUSED = 12, 5


class Says:
    """A DNS server of this process: every name has one address. Over UDP and TCP; with a (certificate, key) over TLS alone."""

    def __init__(self, address, certified=None):
        self.port, = steady_ports(1)
        self.names, self.address, self._tls = [], address, None
        if certified:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certified)
        self._start(socketserver.ThreadingTCPServer, self._handler_of_streams())
        if not certified:
            self._start(socketserver.ThreadingUDPServer, self._handler_of_datagrams())

    def _start(self, kind, handler):
        server = kind(("127.0.0.1", self.port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _answer(self, query):
        end = question_end(query)
        kind, = struct.unpack("!H", query[end - 4:end - 2])
        labels = query[12:end - 5]
        self.names.append(b".".join(labels[at + 1:at + 1 + labels[at]] for at in self._starts(labels)).decode())
        record = b"\xc0\x0c" + struct.pack("!HHIH", dns.A, 1, 60, 4) + socket.inet_aton(self.address)
        known = kind == dns.A
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, known, 0, 0) + query[12:end] + (record if known else b"")

    @staticmethod
    def _starts(labels):
        at = 0
        while at < len(labels):
            yield at
            at += labels[at] + 1

    def _handler_of_datagrams(self):
        upstream = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                query, sock = self.request
                sock.sendto(upstream._answer(query), self.client_address)

        return Handler

    def _handler_of_streams(self):
        upstream = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    if upstream._tls:
                        self.request = upstream._tls.wrap_socket(self.request, server_side=True)
                    stream = self.request.makefile("rwb")
                    while len(size := stream.read(2)) == 2:
                        reply = upstream._answer(stream.read(struct.unpack("!H", size)[0]))
                        stream.write(struct.pack("!H", len(reply)) + reply)
                        stream.flush()
                except OSError:
                    pass  # whoever does not trust us hangs up

        return Handler


def ask_from(source, port, name):
    """The rcode; None when no answer came."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.settimeout(slack(5))
        sock.sendto(dns.question(name), ("127.0.0.1", port))
        try:
            return dns.read(sock.recv(4096))[0]
        except socket.timeout:
            return None


class Flags(DnsTest):
    names = (("google", "google.com"),)
    shared = True

    @classmethod
    def furnish(cls, world):
        cls.first, cls.second, cls.corp = Says("192.0.2.1"), Says("192.0.2.2"), Says("192.0.2.3")
        cls.resolv_conf = world.file("resolv.conf", f"nameserver 127.0.0.1:{cls.first.port}\n")
        cls.server = world.operator(
            "--dns-resolv-conf", cls.resolv_conf, "--dns-forward", f"corp.example=127.0.0.1:{cls.corp.port}", "--dns-log=errors",
            "--cluster-domain=k8s.example", "--dns-allow=127.0.0.1/32", "--dns-workers=1", upstream=None)
        cls.asked = 0

    def ask(self, name, kind=dns.A):
        return dns.ask(self.server.port, name, kind, timeout=slack(5))

    def wait_for_address(self, below, address):
        """Of names that no cache knows."""
        def probe():
            type(self).asked += 1
            return self.ask(f"n{self.asked}.{below}") == (dns.NOERROR, [address])

        eventually(f"names below {below} are {address}", probe, slack(20))

    def test_resolv_conf_is_followed_while_it_changes(self):
        self.wait_for_address("example", self.first.address)
        self.world.file("resolv.conf", f"# another\nnameserver 127.0.0.1:{self.second.port}\n")
        self.wait_for_address("example", self.second.address)
        # Replaced by another file, as most programs do it.
        os.replace(self.world.file("next", f"nameserver 127.0.0.1:{self.first.port}\n"), self.resolv_conf)
        self.wait_for_address("example", self.first.address)

    def test_dns_forward_sends_a_domain_to_its_own_server_and_nothing_else(self):
        self.wait_for_address("corp.example", self.corp.address)
        self.wait_for_address("other-corp.example", self.first.address)
        self.assertEqual([name for name in self.corp.names if not name.endswith(".corp.example")], [])
        self.assertEqual([name for name in self.first.names + self.second.names if name.endswith(".corp.example")], [])

    def test_cluster_domain_is_that_of_the_gateways_services(self):
        service = "google.egress-operator-system.svc"
        self.assertEqual(self.ask(f"{service}.k8s.example"), (dns.NOERROR, [self.addresses["google.com"]]))
        reverse = ".".join(reversed(self.addresses["google.com"].split("."))) + ".in-addr.arpa"
        self.assertEqual(self.ask(reverse, PTR)[0], dns.NOERROR)
        self.assertEqual(eventually("the usual domain is somebody else's", lambda: self.ask(f"{service}.cluster.local")[1]),
                         [self.first.address])

    def test_dns_allow_refuses_all_others(self):
        self.assertEqual(ask_from("127.0.0.1", self.server.port, "google.com"), dns.NOERROR)
        for name in ("google.com", "refused.example"):
            self.assertEqual(ask_from("127.0.0.2", self.server.port, name), REFUSED)
        self.assertNotIn("refused.example", self.first.names)

    def logged(self):
        return [json.loads(line) for line in self.server.output().splitlines() if '"msg":"query"' in line]

    def test_dns_log_has_the_queries_that_fail(self):
        self.assertEqual(self.ask("google.com")[0], dns.NOERROR)
        self.assertEqual(self.ask("9.9.9.10.in-addr.arpa", PTR)[0], dns.NXDOMAIN)
        self.assertEqual(ask_from("127.0.0.2", self.server.port, "logged.example"), REFUSED)
        line, = eventually("the refused query is logged",
                           lambda: [one for one in self.logged() if one.get("name") == "logged.example"])
        self.assertEqual({key: line[key] for key in ("client", "transport", "type", "rcode", "plugin")},
                         {"client": "127.0.0.2", "transport": "udp", "type": "A", "rcode": "REFUSED", "plugin": ""})
        # There is one worker, so what it logged before is there, too.
        self.assertEqual([one for one in self.logged() if one["rcode"] in ("NOERROR", "NXDOMAIN")], [])

    def over_tls(self, upstream, **options):
        """An operator that asks it, as dns.example for one domain, as localhost for all else."""
        server = f"tls://127.0.0.1:{upstream.port}"
        return self.world.operator("--dns-upstream", f"{server}#localhost",
                                   "--dns-forward", f"wrong.example={server}#dns.example", upstream=None, **options)

    def test_tls_upstreams_are_believed_when_an_authority_of_ssl_cert_file_vouches_for_their_name(self):
        authority = Authority(f"{self.world.folder}/certificates")
        certified = [f"{self.world.folder}/localhost.{end}" for end in ("crt", "key")]
        authority.issue(*certified)
        upstream = Says("192.0.2.4", certified)
        trusting = self.over_tls(upstream, environment={"SSL_CERT_FILE": authority.certificate}, log="trusting")
        eventually("it is asked over TLS", lambda: dns.ask(trusting.port, "a.example") == (dns.NOERROR, [upstream.address]))
        self.assertEqual(dns.ask(trusting.port, "a.wrong.example"), (dns.SERVFAIL, []))
        trusting.wait_for("it says why", lambda: "the server's certificate is not for" in trusting.output())
        stranger = self.over_tls(upstream, log="stranger")
        self.assertEqual(dns.ask(stranger.port, "b.example"), (dns.SERVFAIL, []))
        stranger.wait_for("it says why", lambda: "the server's certificate is refused" in stranger.output())
        self.assertFalse({"a.wrong.example", "b.example"} & set(upstream.names))


if __name__ == "__main__":
    need("openssl")
    unittest.main(verbosity=2)
