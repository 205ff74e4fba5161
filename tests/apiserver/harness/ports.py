"""Free ports, as all tests choose them."""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "support"))

from free_ports import free_ports  # pylint: disable=wrong-import-position

__all__ = ["free_ports"]
