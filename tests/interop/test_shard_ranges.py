"""Debian's manage-shard-ranges and ours, each on its own copy of one database: what they say, and what they leave."""

import json
import pathlib
import re
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import DebianSwift, missing_parts  # noqa: E402
from harness.operators import missing_tools, run_apus  # noqa: E402

TOOL = "manage-shard-ranges"
HASH = "0123456789abcdef0123456789abcdef"
ROWS = 60
EPOCH = "1700000005.00000"
ACTIVE, CREATED, FOUND, SHARDED = 40, 20, 10, 70


def missing():
    return missing_parts() + missing_tools(TOOL)


@unittest.skipIf(missing(), f"not installed: {missing()}")
class ShardRanges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.swift = DebianSwift(memcache="127.0.0.1:1")
        cls.addClassCleanup(cls.swift.close)
        cls.swift.write()

    def make(self, ranges=(), sharded=False, rows=ROWS):
        """One database at two places; `ranges` are (lower, upper, objects, state)."""
        from swift.common.utils import ShardRange, Timestamp
        from swift.container.backend import ContainerBroker
        self.paths = {}
        for maker in ("debian", "apus"):
            folder = self.swift.folder / maker / "sda" / "containers" / "7" / HASH[-3:] / HASH
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.paths[maker] = folder / (f"{HASH}_{EPOCH}.db" if sharded else f"{HASH}.db")
        broker = ContainerBroker(str(self.paths["debian"]), account="AUTH_a", container="c é")
        broker.initialize(Timestamp(1700000000).internal, 0)
        for number in range(rows):
            broker.put_object(f"o {number:03d} é", Timestamp(1700000001).internal, 1, "t/p", "e")
        broker.get_info()
        when = Timestamp(1700000002)
        stored = [ShardRange(f".shards_AUTH_a/{number} {lower}-{upper}", when, lower, upper, objects, 0, state=state)
                  for number, (lower, upper, objects, state) in enumerate(ranges)]
        if sharded:
            stored.append(ShardRange("AUTH_a/c é", when, "", "", state=SHARDED, epoch=EPOCH))
        if stored:
            broker.merge_shard_ranges(stored)
        broker.conn = None
        shutil.copy(self.paths["debian"], self.paths["apus"])

    def both(self, *words, stdin="", status=0):
        """The same command by both; what ours printed to stdout."""
        said = {"debian": self.swift.run_program(TOOL, *(w.format(**self.fill("debian")) for w in words), stdin=stdin),
                "apus": run_apus(TOOL, *(w.format(**self.fill("apus")) for w in words), stdin=stdin)}
        plain = {maker: re.sub(r"\d{10}\.\d{5}", "TIME", done.stdout) for maker, done in said.items()}
        self.assertEqual((said["apus"].returncode, said["debian"].returncode), (status, status), said)
        # The last lines before a question are words of each.
        self.assertEqual(*(self.known(plain[maker]) for maker in ("apus", "debian")))
        self.assertEqual(self.stored("apus"), self.stored("debian"), words)
        return said["apus"].stdout

    def fill(self, maker):
        return {"db": str(self.paths[maker]), "file": str(self.swift.folder / "ranges.json")}

    @staticmethod
    def known(text):
        return [line for line in text.split("\n") if not re.match(r"WARNING: (Be|other)|ranges? in this db|deletion of|It is|shard ranges while|"
                                                                   r"and stop|Nothing else|themselves|Once applied|range compaction|Gap filling", line)]

    def stored(self, maker):
        """All of the database's ranges; moments only by their being new."""
        database = sqlite3.connect(self.paths[maker])
        try:
            rows = database.execute("SELECT name, timestamp, lower, upper, object_count, deleted, state, epoch, reported FROM shard_range")
            new = lambda moment: None if moment is None else moment > "1700000009"
            return sorted((re.sub(r"-\d{10}\.\d{5}-", "-TIME-", name), new(when), lower, upper, count, deleted, state,
                           new(epoch), reported)
                          for name, when, lower, upper, count, deleted, state, epoch, reported in rows)
        finally:
            database.close()

    def test_find_replace_enable(self):
        self.make()
        found = self.both("{db}", "find", "20", "--minimum-shard-size", "5")
        self.assertEqual(len(json.loads(found)), 3)
        (self.swift.folder / "ranges.json").write_text(found)
        self.both("{db}", "show")
        self.both("{db}", "enable", status=1)
        self.both("{db}", "replace", "{file}")
        self.both("{db}", "show", "--brief")
        self.both("{db}", "show", "--includes", "o 030 é")
        self.both("{db}", "replace", "{file}", stdin="q\n", status=3)
        self.both("{db}", "replace", "{file}", "--force")  # with --enable too, Debian's ends in a traceback
        self.both("{db}", "enable")
        self.both("{db}", "enable")
        self.both("{db}", "info")
        self.both("{db}", "show", "-d")
        self.both("{db}", "delete", stdin="x\nyes\n")
        self.both("{db}", "find_and_replace", "30", "--enable")
        self.both("{db}", "find", "10", "--minimum-shard-size", "11", status=2)

    def test_ranges_that_do_not_fit_are_refused(self):
        self.make()
        for bad in ([], [{"index": 0, "lower": "", "upper": "m", "object_count": 1}],
                    [{"index": 0, "lower": "", "upper": "m", "object_count": 1},
                     {"index": 1, "lower": "n", "upper": "", "object_count": 1}]):
            (self.swift.folder / "ranges.json").write_text(json.dumps(bad))
            self.both("{db}", "replace", "{file}", status=1)
        for bad in ("{}", "[{}]", "no"):
            (self.swift.folder / "ranges.json").write_text(bad)
            self.both("{db}", "replace", "{file}", status=2)
        self.both("{db}", "replace", "/no/such/file", status=2)

    def test_compact(self):
        self.make(sharded=True, rows=0, ranges=[("", "d", 5, ACTIVE), ("d", "h", 90, ACTIVE), ("h", "p", 3, ACTIVE),
                                                ("p", "", 50, ACTIVE)])
        limits = ("--shrink-threshold", "10", "--expansion-limit", "96")
        self.both("{db}", "compact", *limits, "--dry-run", status=3)
        self.both("{db}", "compact", *limits, "--max-expanding", "1", "--yes")
        self.both("{db}", "compact", *limits, stdin="yes\n")
        self.both("{db}", "compact", *limits, "--yes")
        self.make()
        self.both("{db}", "compact", *limits, "--yes", status=1)

    def test_repair(self):
        self.make(sharded=True, rows=0, ranges=[("", "d", 5, ACTIVE), ("d", "", 9, ACTIVE), ("", "f", 2, ACTIVE),
                                                ("f", "", 2, CREATED)])
        self.both("{db}", "repair", "--dry-run", status=3)
        self.both("-v", "{db}", "repair", "--yes")
        self.both("{db}", "repair", "--yes", status=1)  # some shrink now
        self.make(sharded=True, rows=0, ranges=[("", "d", 5, ACTIVE), ("f", "m", 9, ACTIVE), ("p", "t", 2, CREATED)])
        self.both("{db}", "repair", "--yes", status=1)
        self.both("{db}", "repair", "--gaps", "--yes")
        self.both("{db}", "repair", "--gaps", "--dry-run", status=3)
        self.make(sharded=True, rows=0, ranges=[("", "d", 5, ACTIVE), ("d", "", 9, ACTIVE)])
        self.both("{db}", "repair")
        self.both("{db}", "repair", "--gaps")

    def test_analyze(self):
        self.make(ranges=[("", "d", 5, ACTIVE), ("d", "", 9, ACTIVE), ("", "f", 2, ACTIVE), ("f", "", 2, FOUND)])
        (self.swift.folder / "ranges.json").write_text(run_apus(TOOL, self.paths["apus"], "show").stdout)
        self.both("{file}", "analyze")
        self.both("-v", "{file}", "analyze")


if __name__ == "__main__":
    unittest.main(verbosity=2)
