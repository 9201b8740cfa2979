"""A drive with errors in the kernel's log is unmounted, others are not, and /recon's file says which."""

import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.processes import APUS  # noqa: E402
from harness.small_disk import NoMount, SmallDisk  # noqa: E402


class DriveAudit(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="drive-audit-")))
        self.disks = {}
        for name in ("good", "bad"):
            (self.folder / "node" / name).mkdir(parents=True)
            try:
                self.disks[name] = SmallDisk(self.folder / f"{name}.img", self.folder / "node" / name, 8)
            except NoMount as error:
                self.skipTest(f"no mount is allowed here: {error}")
            self.addCleanup(self.disks[name].close)
        (self.folder / "recon").mkdir()
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = drives\n")

    def kernel_name(self, name):
        number = os.stat(self.folder / "node" / name).st_dev
        return os.path.basename(os.readlink(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"))

    def audit(self, options="", **lines):
        """`lines` are times of errors: name of a drive to seconds ago."""
        now = datetime.datetime.now()
        (self.folder / "kern.log").write_text("".join(
            f"{now - datetime.timedelta(seconds=ago):%b %d %H:%M:%S} host kernel: I/O error, "
            f"dev {self.kernel_name(name)}, sector 5\n" for name, ago in lines.items()))
        conf = self.folder / "drive-audit.conf"
        conf.write_text(f"[DEFAULT]\nswift_dir = {self.folder}\nlog_to = stderr\n[drive-audit]\n"
                        f"device_dir = {self.folder}/node\nlog_file_pattern = {self.folder}/kern.log\n"
                        f"recon_cache_path = {self.folder}/recon\nregex_pattern_1 = error, dev (\\w+)\n{options}")
        done = subprocess.run([APUS, "drive-audit", conf, "once"], text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr, json.loads((self.folder / "recon" / "drive.recon").read_text())

    def mounted(self):
        return {name for name in self.disks if os.path.ismount(self.folder / "node" / name)}

    def test_a_drive_with_errors_is_taken_out_of_use(self):
        good, bad = (str(self.folder / "node" / name) for name in ("good", "bad"))
        said, told = self.audit(bad=7200)
        self.assertIn("No drives were unmounted", said)
        self.assertEqual((told, self.mounted()), ({good: 0, bad: 0, "drive_audit_errors": 0}, {"good", "bad"}))
        said, told = self.audit("unmount_failed_device = no\n", bad=60)
        self.assertIn(f"Detected {bad} with 1 errors (Device not unmounted)", said)
        self.assertEqual((told, self.mounted()), ({good: 0, bad: 1, "drive_audit_errors": 1}, {"good", "bad"}))
        said, told = self.audit("error_limit = 2\n", bad=60)
        self.assertEqual(self.mounted(), {"good", "bad"})
        said, told = self.audit(bad=60)
        self.assertIn(f"Unmounting {bad} with 1 errors", said)
        self.assertEqual((told, self.mounted()), ({good: 0, bad: 1, "drive_audit_errors": 1}, {"good"}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
