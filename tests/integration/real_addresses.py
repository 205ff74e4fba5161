#!/usr/bin/env python3
"""The outside world for tests: every name has a real address of 203.0.113.0/24 and 2001:db8::/32, but for those of
nowhere.example, which do not exist.

Where a record leads to addresses they are put everywhere an answer has room for them: address hints (HTTPS), and the
additional section (MX, which names the very name that was asked for). Over UDP and TCP, on 127.0.0.1.

usage: real_addresses.py PORT
"""
import socket
import socketserver
import struct
import sys
import threading
import zlib

A, NS, MX, TXT, AAAA, OPT, HTTPS = 1, 2, 15, 16, 28, 41, 65
NAME = b"\xc0\x0c"  # a pointer to the question's name


def question_end(query):
    at = 12
    while query[at]:
        at += query[at] + 1
    return at + 5


def record(kind, data, ttl=60):
    return NAME + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def records(name, kind):
    """(answers, additional)"""
    last = bytes([1 + zlib.crc32(name.lower()) % 250])
    v4, v6 = b"\xcb\x00\x71" + last, b"\x20\x01\x0d\xb8" + bytes(11) + last
    both = [record(A, v4), record(AAAA, v6)]
    return {
        A: ([record(A, v4)], []),
        AAAA: ([record(AAAA, v6)], []),
        TXT: ([record(TXT, b"\x04real")], []),
        MX: ([record(MX, b"\x00\x0a" + NAME)], both),
        HTTPS: ([record(HTTPS, b"\x00\x01\x00" + b"\x00\x04\x00\x04" + v4 + b"\x00\x06\x00\x10" + v6)], both),
    }.get(kind, ([], []))


def answer(query):
    end = question_end(query)
    name, kind = query[12:end - 4], struct.unpack("!H", query[end - 4:end - 2])[0]
    missing = name.lower().endswith(b"\7nowhere\7example\0")
    answers, additional = ([], []) if missing else records(name, kind)
    if query[11]:
        additional = additional + [b"\0" + struct.pack("!HHIH", OPT, 1232, query[end + 7] << 8, 0)]
    header = query[:2] + (b"\x81\x83" if missing else b"\x81\x80") + struct.pack("!HHHH", 1, len(answers), 0, len(additional))
    return header + query[12:end] + b"".join(answers + additional)


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
    threading.Thread(target=TcpServer(where, Tcp).serve_forever, daemon=True).start()
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    udp.bind(where)
    while True:
        query, client = udp.recvfrom(4096)
        udp.sendto(answer(query), client)


if __name__ == "__main__":
    main()
