#!/usr/bin/env python3
"""A test that cannot run says so: skipped (77) where it may be left out, failed where an API server is required."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from harness.suite import LEFT_OUT

HERE = pathlib.Path(__file__).resolve().parent
WISHES = (("required", 1), ("auto", LEFT_OUT), ("", LEFT_OUT))


class LeftOut(unittest.TestCase):
    def exit_code(self, test, **environment):
        done = subprocess.run([sys.executable, test], env={**os.environ, **environment}, text=True, capture_output=True,
                              check=False)
        self.assertIn("LEFT OUT", done.stderr)
        return done.returncode

    def test_without_namespaces(self):
        with tempfile.TemporaryDirectory(prefix="egress-apiserver-") as folder:
            unshare = pathlib.Path(folder, "unshare")
            unshare.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
            unshare.chmod(0o755)
            for wish, code in WISHES:
                self.assertEqual(self.exit_code(HERE / "reload_test.py", EGRESS_APISERVER=wish,
                                                PATH=f"{folder}:{os.environ['PATH']}"), code, wish)

    def test_without_an_api_server(self):
        tests = sorted(set(HERE.glob("*_test.py")) - {HERE / "left_out_test.py"})
        self.assertGreater(len(tests), 5)
        for test in tests:
            self.assertEqual(self.exit_code(test, EGRESS_APISERVER="required", KUBEBUILDER_ASSETS="/nonexistent"), 1,
                             test.name)
        for wish, code in WISHES:
            self.assertEqual(self.exit_code(tests[0], EGRESS_APISERVER=wish, KUBEBUILDER_ASSETS="/nonexistent"), code, wish)


if __name__ == "__main__":
    unittest.main(verbosity=2)
