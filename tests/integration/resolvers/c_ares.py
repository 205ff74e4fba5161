#!/usr/bin/env python3
"""Asks c-ares, the resolver in Envoy and Node.js.

usage: c_ares.py PORT udp|tcp NAME…: prints a line of JSON a name, its addresses.
"""
import json
import select
import socket
import sys

import pycares


def wait(channel):
    while True:
        readable, writable = channel.getsock()
        if not readable and not writable:
            return
        can_read, can_write, _ = select.select(readable, writable, [], channel.timeout() or 1)
        for fd in can_read:
            channel.process_fd(fd, pycares.ARES_SOCKET_BAD)
        for fd in can_write:
            channel.process_fd(pycares.ARES_SOCKET_BAD, fd)
        if not can_read and not can_write:
            channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)


def main():
    port = int(sys.argv[1])
    edns = 1 << 8  # ARES_FLAG_EDNS, which Envoy sets and this module has no name for
    flags = edns | (pycares.ARES_FLAG_USEVC if sys.argv[2] == "tcp" else 0)
    for name in sys.argv[3:]:
        channel = pycares.Channel(servers=["127.0.0.1"], udp_port=port, tcp_port=port, flags=flags)
        said = []

        def done(result, error, said=said):
            said.append(pycares.errno.strerror(error) if error else sorted(node.addr[0].decode() for node in result.nodes))

        channel.getaddrinfo(name, None, done, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
        wait(channel)
        print(json.dumps(said[0]))


if __name__ == "__main__":
    main()
