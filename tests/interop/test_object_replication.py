"""Object replicators, Debian's and Apus's, between a Debian object server and an Apus one: everything that one side
can have and the other not, by rsync, until both have the same files."""

import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.object_pair import ObjectPair  # noqa: E402
from harness.replicates import Replicates, at  # noqa: E402


class ByApus(Replicates, unittest.TestCase):
    method, apus = "rsync", True


class BySwift(Replicates, unittest.TestCase):
    method, apus = "rsync", False


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Arguments(unittest.TestCase):
    def test_rsync_is_called_as_swift_calls_it(self):
        with ObjectPair("rsync") as pair:
            spy = pair.folder / "spy"
            spy.mkdir()
            (spy / "rsync").write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {spy}/words\nexec {shutil.which('rsync')} \"$@\"\n")
            (spy / "rsync").chmod(0o755)
            pair.put(1, "one", at(1))
            words = []
            for apus in (False, True):
                shutil.rmtree(pair.device(2) / "objects", ignore_errors=True)
                (pair.device(2) / "objects").mkdir()  # rsync makes one folder, not two
                pair.push(1, apus, path=spy, rsync_bwlimit=1000, rsync_io_timeout=20)
                self.assertEqual(pair.files_of(2, "one"), [at(1) + ".data"], pair.output())
                words.append((spy / "words").read_text().splitlines())
            self.assertEqual(words[0], words[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
