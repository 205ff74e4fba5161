#!/usr/bin/env python3
"""Ports of 127.0.0.1 that are free for UDP and TCP.

Below those that the kernel gives to whoever asks for any: a server there, on a port that is shared by SO_REUSEPORT as
DNS servers do, would otherwise be joined by one of another test, which takes part of its queries without a word.

usage: free_ports.py COUNT, for one port a line
"""
import errno
import random
import socket
import sys

FIRST, LAST = 10000, 32000


def free_ports(count):
    ports, pick = [], random.SystemRandom()
    while len(ports) < count:
        port = pick.randrange(FIRST, LAST)
        if port not in ports and is_free(port):
            ports.append(port)
    return ports


def is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                return False
    return True


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])), sep="\n")
