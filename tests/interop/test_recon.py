"""Debian's swift-recon asks Apus's storage servers."""

import os
import pathlib
import re
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import swift_python  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

KINDS = ("account", "container", "object")


@unittest.skipIf(shutil.which("swift-recon") is None, "swift-recon is not installed")
class Recon(unittest.TestCase):
    def setUp(self):
        self.apus = self.enterContext(ApusUp())
        self.apus.stop()
        self.etc = self.apus.data / "etc"
        for kind in KINDS:
            path = self.etc / f"{kind}-server.conf"
            text = re.sub(r"(?m)^listen = no$", "listen = yes", path.read_text())
            text = re.sub(r"(?m)^pipeline = .*$", f"pipeline = recon {kind}-server", text)
            text = re.sub(r"(?ms)^\[filter:recon\]\n.*?(?=^\[|\Z)", "", text)
            path.write_text(text + "\n[filter:recon]\nuse = egg:swift#recon\n")
        self.apus.start()

    def ask(self, kind, *arguments):
        done = swift_python.run(shutil.which("swift-recon"), ["--swiftdir", self.etc, kind, *arguments], dict(os.environ))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("HTTP Error", done.stdout + done.stderr)
        self.assertNotIn("URLError", done.stdout)
        return done.stdout

    def test_checks(self):
        for kind in KINDS:
            self.assertIn("load_1m", self.ask(kind, "--loadstats") .replace("1m_load_avg", "load_1m")
                          .replace("5m load", "load_1m"))
            for flag in ("-q", "-u", "-d", "--sockstat", "-T", "--driveaudit", "-r", "--auditor"):
                self.assertIn("===", self.ask(kind, flag))
            self.assertRegex(self.ask(kind, "--swift-versions"), r"2\.30\.1|1/1 hosts matched")
            # Not --md5 and --all: swift-recon knows no swift.conf but that of /etc/swift.


if __name__ == "__main__":
    unittest.main()
