"""Object replicators, Debian's and Apus's, between a Debian object server and an Apus one: everything that one side
can have and the other not, by SSYNC, until both have the same files."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.replicates import Replicates  # noqa: E402


class ByApus(Replicates, unittest.TestCase):
    method, apus = "ssync", True


class BySwift(Replicates, unittest.TestCase):
    method, apus = "ssync", False


if __name__ == "__main__":
    unittest.main(verbosity=2)
