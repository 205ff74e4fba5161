#!/usr/bin/env python3
"""A DNS server for tests, on 127.0.0.1 over UDP and TCP: up.example is 203.0.113.7, everything else does not exist.

usage: upstream.py PORT
"""
import socketserver
import struct
import sys
import threading

ADDRESS = bytes([203, 0, 113, 7])


def question_end(query):
    at = 12
    while query[at]:
        at += query[at] + 1
    return at + 5


def answer(query):
    end = question_end(query)
    name, kind = query[12 : end - 4].lower(), struct.unpack("!H", query[end - 4 : end - 2])[0]
    known = name == b"\x02up\x07example\x00"
    records = b""
    if known and kind == 1:
        records = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + ADDRESS
    flags = 0x8180 | (0 if known or name == b"\x00" else 3)
    header = query[:2] + struct.pack("!HHHHH", flags, 1, 1 if records else 0, 0, 0)
    return header + query[12:end] + records


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        socket.sendto(answer(data), self.client_address)


class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        while len(size := self.rfile.read(2)) == 2:
            reply = answer(self.rfile.read(struct.unpack("!H", size)[0]))
            self.wfile.write(struct.pack("!H", len(reply)) + reply)


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    where = ("127.0.0.1", int(sys.argv[1]))
    tcp = TcpServer(where, Tcp)
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    socketserver.ThreadingUDPServer(where, Udp).serve_forever()


if __name__ == "__main__":
    main()
