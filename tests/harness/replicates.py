"""What a replicator between two object servers has to bring about: test cases inherit it."""

import shutil
import unittest

from harness.debian_swift import missing_parts
from harness.object_pair import ObjectPair

BASE = 1_700_000_000
SNOW = "☃".encode().decode("latin-1")


def at(seconds):
    return f"{BASE + seconds}.00000"


class Replicates:
    """`method` and `apus` (whose replicator) are set by the cases, unittest.TestCases."""

    method = "ssync"
    apus = True

    @classmethod
    def setUpClass(cls):
        if missing_parts():
            raise unittest.SkipTest(f"not installed: {missing_parts()}")
        cls.pair = cls.enterClassContext(ObjectPair(cls.method))

    def push(self, node, **options):
        return self.pair.push(node, self.apus, **options)

    def passes(self, *more):
        """One of each node, and `more` of them."""
        for node in (1, 2, *more):
            self.push(node)

    def fill(self, here, there):
        """One object of each kind of difference; names are those of `here`."""
        pair, name = self.pair, lambda what: f"{here} {what}"
        # Swift 2.30's sender encodes such values twice.
        snow = SNOW if self.apus or self.method == "rsync" else "flake"
        pair.put(here, name("missing ☃"), at(1), X_Object_Meta_Snow=snow, X_Object_Sysmeta_S="s")
        pair.put(here, name("large"), at(1), b"0123456789" * 30000)
        pair.put(here, name("empty"), at(1), b"", X_Delete_At=str(BASE + 500_000_000))
        pair.put(here, name("newer"), at(5), b"new")
        pair.put(there, name("newer"), at(1), b"old")
        pair.put(here, name("older"), at(1), b"old")
        pair.put(there, name("older"), at(5), b"new")
        for node in (here, there):
            for what in ("gone", "meta", "type", "both", "same"):
                pair.put(node, name(what), at(1), what.encode())
        pair.delete(here, name("gone"), at(2))
        pair.delete(here, name("never"), at(2))
        pair.post(here, name("meta"), at(3), X_Object_Meta_Color="red")
        pair.post(here, name("type"), at(3), Content_Type="image/png")
        pair.post(here, name("type"), at(4), X_Object_Meta_Size="xl")
        pair.post(here, name("both"), at(3), X_Object_Meta_Color="red")
        pair.post(there, name("both"), at(4), X_Object_Meta_Color="blue")

    def spoil(self, node):
        """Suffix hashes that say nothing, or nonsense."""
        folder = self.pair.device(node) / "objects"
        for number, partition in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
            if number % 3 == 0:
                (partition / "hashes.pkl").write_bytes(b"no pickle at all")
            elif number % 3 == 1:
                (partition / "hashes.pkl").unlink(missing_ok=True)

    def converged(self, policy=0):
        trees = [self.pair.tree(node, policy) for node in (1, 2)]
        self.assertEqual(sorted(trees[0]), sorted(trees[1]), self.pair.output())
        for path, both in trees[0].items():
            self.assertEqual(both, trees[1][path], path)
        self.assertEqual(self.pair.complaints(), [], self.pair.output())
        return trees[0]

    def test_1_all_differences(self):
        self.fill(1, 2)
        self.fill(2, 1)
        # What rsync brought to node 1 is cleaned up by its next pass.
        self.passes(*(() if self.method == "ssync" else (1,)))
        tree = self.converged()
        ends = {}
        for path in tree:
            ends.setdefault(path.rsplit(".", 1)[1], []).append(path)
        self.assertEqual({end: len(paths) for end, paths in ends.items()}, {"data": 18, "ts": 4, "meta": 6})
        for here in (1, 2):
            self.assertEqual(self.pair.files_of(1, f"{here} newer"), [at(5) + ".data"])
            self.assertEqual(self.pair.files_of(1, f"{here} older"), [at(5) + ".data"])
            self.assertEqual(self.pair.files_of(1, f"{here} gone"), [at(2) + ".ts"])

    def test_2_spoiled_hashes(self):
        pair = self.pair
        for node in (1, 2):
            self.spoil(node)
        for number in range(4):
            pair.put(1, f"spoiled {number}", at(10), b"one")
            pair.put(2, f"spoiled {number} too", at(10), b"two")
        for node in (1, 2):
            self.spoil(node)
        self.passes()
        self.converged()

    def test_3_nothing_to_do(self):
        """A pass over what is alike moves nothing."""
        before = self.pair.tree(1)
        for node in (1, 2):
            said = self.push(node)
            self.assertNotIn("Successful rsync", said)
            self.assertIn(" 0.00% synced", said)
        self.assertEqual(self.pair.tree(1), before)
        self.converged()

    def lone(self, home):
        """Names whose one place by the ring of policy 1 is `home`, in two partitions at least."""
        names = [name for name in (f"lone {number}" for number in range(40)) if self.pair.primaries(name, 1) == [home]]
        self.assertGreater(len({self.pair.partition(name) for name in names}), 1)
        return names[:8]

    def revert(self, away, home):
        pair, names = self.pair, self.lone(home)
        for name in names:
            pair.put(away, name, at(1), name.encode(), policy=1)
        pair.post(away, names[0], at(2), policy=1, X_Object_Meta_Color="red")
        pair.delete(away, names[1], at(2), policy=1)
        pair.put(home, names[2], at(5), b"newer", policy=1)  # what is newer there stays
        pair.put(home, names[3], at(1), names[3].encode(), policy=1)  # what is there already is no obstacle
        self.push(away)
        self.assertEqual(pair.partition_folders(away, 1), [], pair.output())
        self.push(home)
        tree = pair.tree(home, 1)
        self.assertEqual(pair.files_of(home, names[0], 1), [at(1) + ".data", at(2) + ".meta"])
        self.assertEqual(pair.files_of(home, names[1], 1), [at(2) + ".ts"])
        self.assertEqual(pair.files_of(home, names[2], 1), [at(5) + ".data"])
        self.assertEqual(len(tree), len(names) + 1)
        self.assertEqual(pair.complaints(), [], pair.output())
        shutil.rmtree(pair.device(home) / "objects-1")

    def test_4_handoffs_come_home(self):
        self.revert(2, 1)
        self.revert(1, 2)
