#!/usr/bin/env python3
"""What validation accepts, Envoy accepts: golden files, samples, and ExternalServices at random.
EGRESS_ENVOY_CONFIGURATIONS is how many of the last (500), EGRESS_ENVOY_SEED which."""
import os
import tempfile
import unittest

from harness import ROOT, generated, suite, validation
from harness.rendering import (COMPATIBLE, HARDENED, dual_stack, external_service, render, render_file,
                               static_configuration, verdicts)

COUNT = int(os.environ.get("EGRESS_ENVOY_CONFIGURATIONS", "500"))
SEED = int(os.environ.get("EGRESS_ENVOY_SEED", "6"))
UDP_REFUSED = "filter chain(s) specified for connection-less UDP listener"


def samples(profile):
    """The children of deploy/samples and of the golden ExternalServices, by name."""
    made = {}
    for folder in ("deploy/samples", "tests/golden"):
        for path in sorted((ROOT / folder).glob("*.yaml")):
            if not path.name.endswith(".envoy.yaml"):
                for name, children in render_file(path, profile).items():
                    made[f"{path.parent.name}-{name}"] = children
    return made


class Validate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="egress-envoy-")
        self.addCleanup(folder.cleanup)
        self.folder, self.envoy = folder.name, suite.envoy()

    def load(self, rendered, text_of=static_configuration):
        return validation.load_all(self.envoy, rendered, self.folder, text_of)

    def assert_clean(self, loaded):
        self.assertEqual([one for one in loaded if not one.accepted or one.deprecated()], [])

    def golden_files(self, folder):
        """Those of a folder, and the three files of configDelivery Reload below it as one."""
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).glob("*.envoy.yaml"))
                 if "-1.40." not in path.name or suite.running() >= (1, 40)}
        parts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / folder / "reload").glob("*.yaml")}
        if parts:
            texts["reload"] = static_configuration({"ConfigMap": {"data": parts}})
        return [validation.load(self.envoy, name, text, [], self.folder) for name, text in texts.items()]

    def test_hardened_golden_files_load_without_a_deprecated_field(self):
        loaded = self.golden_files("tests/golden/hardened")
        self.assertLessEqual({"minimal.envoy", "sni.envoy", "wildcard.envoy", "reload"}, {one.name for one in loaded})
        self.assertGreater(len(loaded), 6)
        self.assert_clean(loaded)

    def test_compatible_golden_files_load_but_for_udp(self):
        for one in self.golden_files("tests/golden"):
            refused = one.name == "udp-and-tcp.envoy"
            self.assertEqual(one.accepted, not refused, one)
            self.assertEqual(UDP_REFUSED in one.output, refused, one)

    def test_samples_load(self):
        hardened = samples(HARDENED)
        self.assertGreaterEqual(len(hardened), 8)
        self.assert_clean(self.load(hardened))
        for one in self.load(samples(COMPATIBLE)):
            self.assertEqual(one.accepted, UDP_REFUSED not in one.output, one)

    def test_whatever_validation_accepts_a_hardened_gateway_loads(self):
        """Every second one as where its Service has an IPv6 address."""
        accepted = generated.external_services(COUNT, SEED)
        for kind in (generated.reloads, generated.is_wildcard, generated.has_udp):
            self.assertGreater(sum(map(kind, accepted)), COUNT // 20, kind.__name__)
        rendered = list(render(accepted).items())
        loaded = self.load(dict(rendered[::2])) + self.load(dict(rendered[1::2]), dual_stack)
        self.assertEqual(len(loaded), COUNT)
        self.assert_clean(loaded)

    def test_what_stands_for_a_service_with_an_ipv6_address_is_what_the_operator_renders(self):
        ports = [{"port": 443, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
        golden = (ROOT / "tests/golden/hardened/dual-stack.envoy.yaml").read_text(encoding="utf-8")
        self.assertEqual(dual_stack(render([external_service("api", ports=ports)])["api"]), golden)

    def test_whatever_validation_accepts_a_compatible_gateway_loads_but_for_udp(self):
        accepted = generated.external_services(COUNT, SEED + 1, COMPATIBLE)
        udp = {one["metadata"]["name"] for one in accepted if generated.has_udp(one)}
        self.assertGreater(COUNT - len(udp), COUNT // 4, "of the others no listener is loaded behind the first of UDP")
        told = {line.split(":")[0].split("/")[1]
                for line in verdicts(accepted, COMPATIBLE).splitlines() if "EnvoyRejectsUDP" in line and "hardened" in line}
        self.assertEqual(told, udp, "`validate` says what will not run, and which profile does")
        for one in self.load(render(accepted, COMPATIBLE)):
            self.assertEqual(one.accepted, one.name not in udp, one)
            self.assertEqual(UDP_REFUSED in one.output, one.name in udp, one)

    def test_what_is_refused_never_reaches_a_configuration(self):
        wildcard = next(one for one in generated.external_services(100, SEED) if generated.is_wildcard(one))
        self.assertIn("WildcardUnsupported", verdicts([wildcard], COMPATIBLE))
        self.assertIn("serverNames", static_configuration(render([wildcard])[wildcard["metadata"]["name"]]))


if __name__ == "__main__":
    suite.main()
