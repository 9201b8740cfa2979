"""Database replicators, Debian's and Apus's, between a Debian server and an Apus one: every way a database can
travel, in both directions, until both have the same."""

import glob
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.database_pair import DatabasePair  # noqa: E402
from harness.mixed_swift import timestamp  # noqa: E402

BASE = 1_700_000_000


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Replication(unittest.TestCase):
    """Node 1 is Debian's server, node 2 Apus's; `push(n)` runs a replicator on node n."""

    def check(self, kind, apus):
        with DatabasePair(kind) as pair:
            push = pair.push
            pair.push = lambda node, **options: push(node, apus=apus, **options)
            pair.make(1, timestamp(BASE))
            pair.put_rows(1, range(0, 5), BASE + 1)
            pair.push(1)  # nothing there yet: rsync and complete_rsync
            self.converged(pair, kind, 5)
            pair.put_rows(1, range(5, 8), BASE + 2)
            pair.push(1)  # a few rows: merge_items
            self.converged(pair, kind, 8)
            pair.put_rows(2, range(6, 12), BASE + 3)
            pair.push(2)  # the other way round
            self.converged(pair, kind, 12)
            pair.put_rows(1, range(12, 60), BASE + 4)
            pair.put_rows(2, range(60, 63), BASE + 5)
            pair.push(1, per_diff=10)  # many rows: rsync_then_merge, and what node 2 had alone stays
            pair.push(2, per_diff=10)
            self.converged(pair, kind, 63)
            pair.post(2, BASE + 6)
            pair.push(1)
            self.converged(pair, kind, 63)
            self.assertEqual([pair.broker(n).metadata[pair.meta][0] for n in (1, 2)], ["blue", "blue"])
            self.assertEqual(glob.glob(f"{pair.folder}/devices*/*/quarantined/*"), [])
            self.assertNotIn("Traceback", pair.output(), pair.output())

    def converged(self, pair, kind, count):
        infos = [pair.broker(n).get_info() for n in (1, 2)]
        counted = {"container": "object_count", "account": "container_count"}[kind]
        self.assertEqual([info[counted] for info in infos], [count, count], pair.output())
        for name in ("hash", "put_timestamp", "delete_timestamp", "created_at"):
            self.assertEqual(infos[0][name], infos[1][name], name)
        rows = [sorted((row["name"], *(str(row[n]) for n in sorted(row) if n != "ROWID"))
                       for row in pair.broker(n).get_items_since(-1, 1000)) for n in (1, 2)]
        self.assertEqual(rows[0], rows[1])

    def test_containers_by_swift(self):
        self.check("container", False)

    def test_containers_by_apus(self):
        self.check("container", True)

    def test_accounts_by_swift(self):
        self.check("account", False)

    def test_accounts_by_apus(self):
        self.check("account", True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
