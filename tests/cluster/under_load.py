"""What the tests of a cluster under load share: a load that runs, a verdict on it."""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from load import Load  # noqa: E402

from harness.debian_swift import missing_parts  # noqa: E402
from harness.own_cluster import SUPPRESSED, OwnCluster  # noqa: E402


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class UnderLoad(unittest.TestCase):
    def begin(self, **arguments):
        self.cluster = self.enterContext(OwnCluster(**arguments))
        self.load = self.enterContext(Load(self.cluster.port, "load"))
        self.struck = []  # (begin, end) of what was done to the cluster
        self.load.go_on(10)

    def strike(self, what, *arguments):
        begin = time.monotonic()
        what(*arguments)
        self.struck.append((begin, time.monotonic()))

    def well_again(self):
        """No node is left alone any more. What was written with fewer copies rests: nothing copies it to its place."""
        with self.load.resting():
            time.sleep(SUPPRESSED + 0.5)
            self.load.settle()
        self.load.go_on(5)

    def nothing_lost(self):
        with self.load.resting():
            self.assertEqual(self.load.lost(self.load.promised()), [], self.cluster.logs())

    def end(self):
        """All nodes are well: all that was ever acknowledged is there, and no request failed but what was under way
        when something struck."""
        self.load.stop()
        promised = self.load.all_promised()
        self.assertEqual(self.load.lost(promised), [], self.cluster.logs())
        print(f"{self.id().rpartition('.')[2]}: {self.load.done()} requests, slowest {self.load.slowest():.2f} s, "
              f"failed while it struck: {self.load.all_wrong()}", file=sys.stderr)
        self.assertEqual(self.load.wrong(*self.struck), [], self.cluster.logs())
        self.assertGreater(len(promised), 20)
        self.cluster.bring_rows()
        for names in self.cluster.listings("load"):
            self.assertEqual(names - self.load.unknown(), {name for name, digest in promised.items() if digest})
