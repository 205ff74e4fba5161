#!/usr/bin/env python3
"""Asks glibc's stub resolver (getaddrinfo) of a server on another port than 53, which resolv.conf cannot name.

usage: glibc.py PORT NAME…: prints a line of JSON a name, its addresses. LOCALDOMAIN and RES_OPTIONS as glibc has them.
"""
import ctypes
import json
import socket
import struct
import sys


class State(ctypes.Structure):
    """The beginning of struct __res_state of resolv.h; glibc keeps it as it is for old programs' sake."""
    _fields_ = [("retrans", ctypes.c_int), ("retry", ctypes.c_int), ("options", ctypes.c_ulong), ("nscount", ctypes.c_int),
                ("nsaddr", ctypes.c_ubyte * 16)]


def main():
    libc = ctypes.CDLL(None)
    libc.__res_init()
    libc.__res_state.restype = ctypes.POINTER(State)
    state = libc.__res_state().contents
    state.nscount = 1
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", int(sys.argv[1]), socket.inet_aton("127.0.0.1"))
    ctypes.memmove(state.nsaddr, address, 16)
    for name in sys.argv[2:]:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            print(json.dumps(sorted({one[4][0] for one in found})))
        except socket.gaierror as error:
            print(json.dumps(error.strerror))


if __name__ == "__main__":
    main()
