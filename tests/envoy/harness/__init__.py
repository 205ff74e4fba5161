"""Gateways as the operator renders them, run by a real Envoy, and what tests put around them."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
# What the tests on a real API server have, too: processes that end with the test, and waiting.
sys.path.insert(0, str(ROOT / "tests"))
