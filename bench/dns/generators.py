"""What sends the queries: our own load, which batches, and dnsperf, which does not. Both on CPU 1."""
import json
import os
import re
import subprocess
import tempfile

PINNED = ("taskset", "-c", "1")
ADDRESS_RECORD = 16  # bytes: an owner that is a pointer, type, class, TTL, length and address


def load(program, port, names, seconds, transport, window, rate):
    return json.loads(subprocess.run([*PINNED, program, str(port), transport, str(names), str(seconds), str(window), str(rate)],
                                     capture_output=True, text=True, check=True).stdout)


def dnsperf(port, names, seconds, transport, window):
    """The same keys as our own load gives, but for percentiles, which it does not tell. 8 connections or sockets. Nor does
    it look into answers: when they are too short for a record on an average, all count as without one."""
    with tempfile.NamedTemporaryFile("w", suffix=".queries", encoding="ascii") as queries:
        queries.writelines(f"host-{i}.example.com A\n" for i in range(names))
        queries.flush()
        said = subprocess.run([*PINNED, "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-m", transport, "-c", "8", "-q", str(window),
                               "-l", str(seconds), "-d", queries.name], capture_output=True, text=True, check=True,
                              env={**os.environ, "LC_ALL": "C"}).stdout
    number = {what: int(count) for what, count in re.findall(r"Queries (sent|completed|lost): +(\d+)", said)}
    right = sum(int(count) for count in re.findall(r"NOERROR (\d+)", said))
    asked, told = map(int, re.search(r"Average packet size: +request (\d+), response (\d+)", said).groups())
    return {"sent": number["sent"], "answered": number["completed"], "other_codes": number["completed"] - right,
            "without_answer": number["completed"] if told < asked + ADDRESS_RECORD else 0, "lost": number["lost"],
            "qps": float(re.search(r"Queries per second: +([\d.]+)", said).group(1)), "p50_us": None, "p99_us": None}
