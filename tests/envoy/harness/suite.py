"""The frame of a test file: which Envoy, and a run that says loudly when it is left out."""
import functools
import os
import re
import subprocess
import sys
import unittest

from . import ROOT

LEFT_OUT = 77  # ctest shows the test as skipped


def figure(what, value):
    """A figure of the run, for people and for docs/gateways.md."""
    print(f"figure: {what}: {value}", flush=True)


def version():
    """The Envoy under test; "" is $ENVOY, or the newest."""
    return os.environ.get("EGRESS_ENVOY_VERSION", "")


def envoy():
    """Its path; LookupError when there is none."""
    script = [str(ROOT / "scripts" / "envoy.sh"), "--find", *filter(None, [version()])]
    done = subprocess.run(script, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LookupError(done.stderr.strip())
    return done.stdout.strip()


@functools.cache
def running():
    """The version of that Envoy as numbers: (1, 40, 0)."""
    said = subprocess.run([envoy(), "--version"], text=True, capture_output=True, check=True).stdout
    return tuple(int(part) for part in re.search(r"/(\d+)\.(\d+)\.(\d+)", said).groups())


def leave_out(why):
    """As scripts/test.sh: what is required fails instead."""
    print(f"LEFT OUT: the tests with a real Envoy: {why}", file=sys.stderr)
    sys.exit(1 if os.environ.get("EGRESS_ENVOY") == "required" else LEFT_OUT)


def require():
    """Ends the run when there is no Envoy, and when it is not the one that was asked for: $ENVOY wins in scripts/envoy.sh."""
    try:
        envoy()
    except LookupError as error:
        leave_out(error)
    is_one = ".".join(map(str, running()))
    if version() not in ("", is_one):
        sys.exit(f"{envoy()} is Envoy {is_one}, and not the {version()} that is to be tested")


def main():
    """Runs the tests of the file that calls it."""
    require()
    unittest.main(module="__main__", verbosity=2, failfast=False)
