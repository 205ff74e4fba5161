"""Who has which socket and which child, as /proc tells it."""
import os
import socket
import struct

LISTENING = "0A"


def _in_proc(address):
    """("127.0.0.1", 80) as /proc/net/tcp writes it."""
    return f"{struct.unpack('=I', socket.inet_aton(address[0]))[0]:08X}:{address[1]:04X}"


def _tcp_sockets():
    with open("/proc/net/tcp", encoding="ascii") as file:
        next(file)
        for line in file:
            fields = line.split()
            yield fields[1], fields[2], fields[3], fields[9]


def listening_addresses():
    return {socket.inet_ntoa(struct.pack("=I", int(local[:8], 16))) for local, _, state, _ in _tcp_sockets() if state == LISTENING}


def _holds(pid, link):
    folder = f"/proc/{pid}/fd"
    try:
        return any(_link(f"{folder}/{one}") == link for one in os.listdir(folder))
    except OSError:
        return False


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return None


def owner(local, remote):
    """(pid, program) of the process with the connected socket of these two addresses; None when it is gone already."""
    wanted = _in_proc(local), _in_proc(remote)
    inode = next((inode for one, other, _, inode in _tcp_sockets() if (one, other) == wanted), "0")
    if inode == "0":
        return None
    pids = (int(one) for one in os.listdir("/proc") if one.isdigit())
    pid = next((pid for pid in sorted(pids, reverse=True) if _holds(pid, f"socket:[{inode}]")), None)
    program = _link(f"/proc/{pid}/exe")
    return (pid, program) if program else None


def _stat(pid):
    """(state, parent); None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def is_alive(pid):
    """A zombie is not."""
    stat = _stat(pid)
    return stat is not None and stat[0] != "Z"


def children(parent):
    """The command lines of its living children, by pid."""
    found = {}
    for pid in (int(one) for one in os.listdir("/proc") if one.isdigit()):
        stat = _stat(pid)
        if stat is None or stat[1] != parent or stat[0] == "Z":
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found[pid] = file.read().decode().split("\0")
        except OSError:
            pass
    return found
