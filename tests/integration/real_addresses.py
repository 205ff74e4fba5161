#!/usr/bin/env python3
"""The outside world for tests: every name has a real address of 203.0.113.0/24 and 2001:db8::/32, but for those of
nowhere.example and those whose first label begins with `gone`, which do not exist.

Names whose first label ends in 1, 4 or 7 are aliases, in 2, 5 or 8 are below a DNAME: what they are asked for belongs to a
name below really-elsewhere.example. An alias that comes to a cache with one type leads that cache to all others.

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

A, NS, CNAME, MX, TXT, AAAA, DNAME, OPT, HTTPS = 1, 2, 5, 15, 16, 28, 39, 41, 65
NAME = b"\xc0\x0c"  # a pointer to the question's name
ELSEWHERE = b"\x10really-elsewhere\x07example\x00"


def question_end(query):
    at = 12
    while query[at]:
        at += query[at] + 1
    return at + 5


def record(kind, data, ttl=60, owner=NAME):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def aliases(name):
    """(what leads to the name that has the records, that name)"""
    end = 1 + name[0]
    target = name[:end] + ELSEWHERE
    if end == 1 or name[end - 1] not in b"124578":
        return [], NAME
    if name[end - 1] in b"147":
        return [record(CNAME, target)], target
    parent = struct.pack("!H", 0xC000 | 12 + end)
    return [record(DNAME, ELSEWHERE, owner=parent), record(CNAME, target)], target


def records(name, kind):
    """(answers, additional)"""
    leading, owner = aliases(name)
    answers, additional = own_records(name, kind, owner)
    return leading + answers, additional


def own_records(name, kind, owner):
    last = bytes([1 + zlib.crc32(name.lower()) % 250])
    v4, v6 = b"\xcb\x00\x71" + last, b"\x20\x01\x0d\xb8" + bytes(11) + last
    both = [record(A, v4), record(AAAA, v6)]
    hints = b"\x00\x01\x00" + b"\x00\x04\x00\x04" + v4 + b"\x00\x06\x00\x10" + v6
    data = {A: v4, AAAA: v6, TXT: b"\x04real", MX: b"\x00\x0a" + NAME, HTTPS: hints}
    if kind not in data:
        return [], []
    return [record(kind, data[kind], owner=owner)], both if kind in (MX, HTTPS) else []


def answer(query):
    end = question_end(query)
    name, kind = query[12:end - 4], struct.unpack("!H", query[end - 4:end - 2])[0]
    missing = name.lower().endswith(b"\7nowhere\7example\0") or name[1:5].lower() == b"gone"
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
