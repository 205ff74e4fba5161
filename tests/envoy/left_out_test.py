#!/usr/bin/env python3
"""A test that cannot run says so: skipped (77) where it may be left out, failed where Envoy is required or another one."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from harness import suite

HERE = pathlib.Path(__file__).resolve().parent


class LeftOut(unittest.TestCase):
    def without_namespaces(self, wish):
        """The exit code of a test with traffic whose `unshare` may not."""
        with tempfile.TemporaryDirectory(prefix="egress-envoy-") as folder:
            unshare = pathlib.Path(folder, "unshare")
            unshare.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
            unshare.chmod(0o755)
            environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "EGRESS_ENVOY": wish}
            done = subprocess.run([sys.executable, HERE / "admin_test.py"], env=environment, text=True,
                                  capture_output=True, check=False)
        self.assertIn("LEFT OUT", done.stderr)
        return done.returncode

    def test_without_namespaces(self):
        for wish, code in (("required", 1), ("auto", suite.LEFT_OUT), ("", suite.LEFT_OUT)):
            self.assertEqual(self.without_namespaces(wish), code, wish)

    def test_without_an_envoy(self):
        for wish, code in (("required", 1), ("auto", suite.LEFT_OUT)):
            environment = {**os.environ, "ENVOY": "/nonexistent", "EGRESS_ENVOY": wish}
            for test in sorted(HERE.glob("*_test.py")):
                done = subprocess.run([sys.executable, test], env=environment, capture_output=True, check=False)
                self.assertEqual(done.returncode, code, (wish, test.name))

    def test_with_another_envoy_than_the_one_under_test(self):
        """Not left out: whoever reads that 1.36 works shall not have tested 1.40 twice."""
        other = "1.0.0"
        environment = {**os.environ, "ENVOY": suite.envoy(), "EGRESS_ENVOY_VERSION": other, "EGRESS_ENVOY": "auto"}
        for test in sorted(HERE.glob("*_test.py")):
            done = subprocess.run([sys.executable, test], env=environment, text=True, capture_output=True, check=False)
            self.assertEqual(done.returncode, 1, test.name)
            self.assertIn(f"not the {other}", done.stderr, test.name)


if __name__ == "__main__":
    suite.main()
