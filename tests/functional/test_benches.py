"""What is run by hand can be run: each benchmark, and the simulated day, tells how it is used."""

import pathlib
import subprocess
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
BY_HAND = [TESTS / "cluster" / "day", *(TESTS / "bench" / name for name in ("cluster", "daemons", "databases", "ring", "run"))]


class ByHand(unittest.TestCase):
    def test_help(self):
        for script in BY_HAND:
            with self.subTest(script.name):
                done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("usage: ", done.stdout)


if __name__ == "__main__":
    unittest.main()
