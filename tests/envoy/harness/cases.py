"""What the tests with traffic have in common: the world, made once, and gateways that end with their test."""
import re
import shutil
import tempfile
import time
import unittest

from apiserver.harness.waiting import eventually, stays

from . import ROOT, peers, suite, world
from .gateway import Gateway
from .rendering import external_service
from .resolver import Resolver

resolver = None


class TrafficTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        global resolver
        if resolver is None:
            resolver = Resolver()
        cls.resolver = resolver
        cls.folder = tempfile.mkdtemp(prefix="egress-envoy-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def gateway(self, name, ports, dns_name=None, wait=True, **spec):
        """ports: numbers of TCP ports, or "53/UDP". spec: of the ExternalService, and what Gateway takes."""
        options = {key: spec.pop(key) for key in ("profile", "flags", "exact", "change", "stdout", "owns_stdout") if key in spec}
        listed = [{"port": int(str(one).split("/", maxsplit=1)[0]), "protocol": "UDP" if str(one).endswith("UDP") else "TCP"}
                  for one in ports]
        made = Gateway(external_service(name, dns_name, ports=listed, **spec), **options)
        self.addCleanup(self._remove, made)
        return made.wait_until_ready() if wait else made

    def _remove(self, gateway):
        outcome = self._outcome.result
        if any(test is self for test, _ in outcome.failures + outcome.errors) or not self._outcome.success:
            lines = [line[:300] for line in gateway.output().splitlines() if "source/server/" not in line]
            print(f"--- {self.id()}: {gateway.name_of}: the end of its log:", *lines[-25:], sep="\n", flush=True)
        gateway.remove()

    def assert_given_up(self, gateway, port, said, source):
        """A connection that has not named a host after five seconds is closed, and logged as refused."""
        begun = time.monotonic()
        with peers.connect(gateway.address, port, source=source) as made:
            made.sendall(said)
            self.assertEqual(peers.read_line(made), peers.CLOSED)
        self.assertGreater(time.monotonic() - begun, 4)
        self.assertLess(time.monotonic() - begun, 9)
        gateway.wait_for("it is logged", lambda: any(
            " NR " in line and f'"{source}:' in line for line in gateway.output().splitlines()))

    def connect(self, gateway, port, **options):
        made = peers.connect(gateway.address, port, **options)
        self.addCleanup(made.close)
        return made


def spec_fields(crd):
    """The fields of the specification, from the text of the resource definition."""
    block = crd.split("            spec:\n", 1)[1].split("            status:\n", 1)[0]
    return set(re.findall(r"^                ([a-zA-Z]+):$", block, re.MULTILINE)) - {"properties"}


def main():
    """Runs the tests of the file that calls it, in a world of their own."""
    suite.require()
    world.enter()
    unittest.main(module="__main__", verbosity=2, failfast=False)


__all__ = ["ROOT", "TrafficTest", "eventually", "main", "peers", "spec_fields", "stays", "world"]
