"""Partition power increases of objects, with relinkers, servers and replicators of both kinds."""

import json
import pathlib
import pickle
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.mixed_swift import timestamp  # noqa: E402
from harness.object_pair import ObjectPair  # noqa: E402
from harness.processes import APUS  # noqa: E402

OLD_POWER = 3
NAMES = [f"o{number}" for number in range(16)]
TIMES = ("start_time", "timestamp", "total_time", "rate", "eta")


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return value


def tree(root):
    """Every file below the objects folders: links and bytes of objects, what caches of hashes say."""
    out = {}
    for path in sorted(pathlib.Path(root).glob("d*/objects*/**/*")):
        name = str(path.relative_to(root))
        if path.is_dir():
            out[name] = "folder"
        elif path.name == "hashes.pkl":
            hashes = pickle.loads(path.read_bytes())
            out[name] = {key: value for key, value in hashes.items() if key != "updated"}
        elif path.name == "hashes.invalid":
            out[name] = sorted(set(path.read_text().split()))
        elif not path.name.startswith(".lock"):
            out[name] = (path.stat().st_nlink, path.read_bytes())
    return out


def states(root):
    return {str(path.relative_to(root)): json.loads(path.read_text())
            for path in sorted(pathlib.Path(root).glob("d*/relink.*.json"))}


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Relinkers(unittest.TestCase):
    maxDiff = None

    def relink(self, pair, apus, action, root, *words, status=0, mount_check="false"):
        """One run over the devices in `root`; what recon says afterwards."""
        recon = pathlib.Path(root) / "recon"
        recon.mkdir(exist_ok=True)
        conf = pathlib.Path(root) / "relinker.conf"
        conf.write_text(f"[DEFAULT]\nuser = root\nswift_dir = {pair.conf}\ndevices = {root}\n"
                        f"mount_check = {mount_check}\nrecon_cache_path = {recon}\nreclaim_age = 1000000000\n"
                        f"[object-relinker]\nlog_to = file:{root}/log\n")
        for name in ("d1", "d2"):  # what lies beside the devices is none
            if (pathlib.Path(root) / name).is_dir():
                words = (*words, "--device", name)
        if apus:
            done = subprocess.run([APUS, "object-relinker", action, conf, *words], text=True, capture_output=True, timeout=60)
        else:
            done = pair.run_program("object-relinker", action, conf, *words)
        log = pathlib.Path(root) / "log"
        said = done.stdout + done.stderr + (log.read_text() if log.exists() else "")
        self.assertEqual(done.returncode, status, f"{'Apus' if apus else 'Swift'} {action}: {said}")
        self.said = said
        return json.loads((recon / "relinker.recon").read_text())

    def ring(self, pair, step):
        for name in ("object", "object-1"):
            for words in ([step], ["write_ring"]):
                pair.run_program("ring-builder", pair.conf / f"{name}.builder", *words).check_returncode()

    def copy(self, root, *devices):
        root = pathlib.Path(root)
        root.mkdir()
        for device in devices:
            subprocess.run(["cp", "-a", str(device), str(root)], check=True)
        return root

    def write(self, pair, when, names, **headers):
        """A PUT, a POST and a DELETE of what is there, and something new, on both nodes alike."""
        put, post, delete = names
        for node in (1, 2):
            for policy in (0, 1):
                pair.put(node, put, timestamp(when), b"again", policy=policy, **headers)
                pair.post(node, post, timestamp(when), policy=policy, X_Object_Meta_Color="blue", **headers)
                pair.delete(node, delete, timestamp(when), policy=policy, **headers)
                pair.put(node, f"new{int(when)}", timestamp(when), b"new", policy=policy, **headers)

    def fill(self, pair, now):
        for index, name in enumerate(NAMES):
            for node in (1, 2):
                for policy in (0, 1):
                    if policy == 0 and index % 4 == node:
                        continue  # replication brings it
                    pair.put(node, name, timestamp(now - 1000), name.encode(), policy=policy)
        self.write(pair, now - 900, NAMES[3:12:4])

    def test_both_steps_by_either(self):
        """Whoever relinks and whoever cleans up: what is left is the same, and whole."""
        now = time.time()
        with ObjectPair(part_power=OLD_POWER) as pair:
            self.fill(pair, now)
            live = {node: pair.root(node) for node in (1, 2)}
            devices = [live[node] / f"d{node}" for node in live]
            # Nothing to do yet.
            self.relink(pair, True, "relink", live[1], status=2)
            self.relink(pair, True, "cleanup", live[1], status=2)
            self.relink(pair, False, "cleanup", live[1], status=2)
            self.ring(pair, "prepare_increase_partition_power")
            next_power = {"X_Backend_Next_Part_Power": str(OLD_POWER + 1)}
            self.write(pair, now - 800, NAMES[4:13:4], **next_power)
            self.assertEqual({name.replace("d1/", ""): what for name, what in tree(live[1]).items() if "new" in name},
                             {name.replace("d2/", ""): what for name, what in tree(live[2]).items() if "new" in name})

            relinked, recon = {}, {}
            for apus in (False, True):
                relinked[apus] = self.copy(pair.folder / f"relinked-{apus}", *devices)
                recon[apus] = self.relink(pair, apus, "relink", relinked[apus])
            self.assertEqual(tree(relinked[True]), tree(relinked[False]))
            self.assertEqual(states(relinked[True]), states(relinked[False]))
            self.assertEqual(without_times(recon[True]["devices"]), without_times(recon[False]["devices"]))
            self.assertEqual([set(one) for one in recon[True]["workers"].values()],
                             [set(one) for one in recon[False]["workers"].values()])
            self.assertEqual([one["return_code"] for one in recon[True]["workers"].values()], [0, 0])
            # Once more: nothing is left to do.
            self.assertEqual(self.relink(pair, True, "relink", relinked[False])["devices"]["d1"]["stats"]["files"], 0)

            self.relink(pair, False, "relink", live[1])
            self.relink(pair, True, "relink", live[2])
            # Debian's replicator does so from its second pass on: in the first it has no ring yet to look at.
            for node in (1, 2):
                self.assertIn("next_part_power set in policy", pair.push(node, True))
            self.ring(pair, "increase_partition_power")
            pair.part_power = OLD_POWER + 1

            cleaned = {}
            for by in (False, True):
                for apus in (False, True):
                    root = self.copy(pair.folder / f"cleaned-{by}-{apus}", relinked[by] / "d1", relinked[by] / "d2")
                    # One that nobody linked, and a tombstone that both have for themselves.
                    self.spoil(root)
                    recon = self.relink(pair, apus, "cleanup", root)
                    cleaned[by, apus] = (tree(root), states(root), without_times(recon["devices"]))
            for result in cleaned.values():
                self.assertEqual(result, cleaned[False, False])
            stats = cleaned[True, True][2]["d1"]["stats"]
            self.assertGreater(stats["removed"], 0)
            self.assertEqual((stats["linked"], stats["errors"]), (1, 0))

            self.write(pair, now - 700, (NAMES[0], NAMES[15], NAMES[7]), **next_power)
            self.relink(pair, True, "cleanup", live[1])
            self.relink(pair, False, "cleanup", live[2])
            for node in (1, 2):
                for path in live[node].glob("d*/objects*/*/*/*/*"):
                    partition, digest = path.parts[-4], path.parts[-2]
                    self.assertEqual(int(partition), int(digest[:8], 16) >> (32 - pair.part_power), path)
            self.ring(pair, "finish_increase_partition_power")
            for node, apus in ((1, False), (2, True), (1, True), (2, False)):
                pair.push(node, apus)
            self.assertEqual(pair.tree(1), pair.tree(2))
            for name in NAMES:
                for node in (1, 2):
                    wanted = 404 if name in (NAMES[7], NAMES[11], NAMES[12]) else 200
                    self.assertEqual(pair.ask(node, "GET", name, timestamp()).status, wanted, name)
            self.assertFalse(pair.complaints())

    def spoil(self, root):
        """A link that a relinker missed, and a tombstone that was written twice."""
        files = sorted(path for path in root.glob("d1/objects/*/*/*/*.data")
                       if int(path.parts[-4]) >= 2 ** OLD_POWER and path.stat().st_nlink == 2)
        files[0].unlink()
        tombstone = sorted(path for path in root.glob("d1/objects/*/*/*/*.ts") if path.stat().st_nlink == 2)[0]
        other = tombstone.with_suffix(".x")
        shutil.copy2(tombstone, other)
        other.rename(tombstone)

    def test_what_stands_in_the_way(self):
        """Another file of the same name, a device away, a state that is rubbish: the same statuses, nothing lost."""
        now = time.time()
        with ObjectPair(part_power=OLD_POWER) as pair:
            self.fill(pair, now)
            self.ring(pair, "prepare_increase_partition_power")
            trees = {}
            for apus in (False, True):
                root = self.copy(pair.folder / f"spoilt-{apus}", pair.device(1))
                (root / "d1" / "relink.objects.json").write_text("rubbish")
                self.relink(pair, apus, "relink", root, status=1, mount_check="true")
                self.assertIn("not mounted", self.said) if apus else None
                path = sorted(path for path in root.glob("d1/objects/*/*/*/*.data")
                              if int(path.parts[-2][:8], 16) >> (31 - OLD_POWER) != int(path.parts[-4]))[0]
                partition = int(path.parts[-2][:8], 16) >> (31 - OLD_POWER)
                twin = root / "d1" / "objects" / str(partition) / path.parts[-3] / path.parts[-2] / path.name
                twin.parent.mkdir(parents=True)
                twin.write_bytes(b"another")
                recon = self.relink(pair, apus, "relink", root, status=1)
                trees[apus] = (tree(root), states(root), without_times(recon["devices"]))
                self.assertFalse(states(root)["d1/relink.objects.json"]["state"][path.parts[-4]])
                twin.unlink()
                self.relink(pair, apus, "relink", root, "--policy", "lone", "--partition", "0")
                self.assertFalse(twin.exists())
                self.relink(pair, apus, "relink", root, "--policy", "0", "--files-per-second", "10000")
                self.assertEqual(twin.stat().st_ino, path.stat().st_ino)
                self.assertTrue(all(states(root)["d1/relink.objects.json"]["state"].values()))
            self.assertEqual(trees[True], trees[False])


if __name__ == "__main__":
    unittest.main()
