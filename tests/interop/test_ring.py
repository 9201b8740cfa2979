"""Rings beside Debian's Swift: builder and ring files both ways, look-ups, and the same commands on both."""

import contextlib
import fcntl
import gzip
import io
import json
import os
import pathlib
import pickle
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.processes import APUS, BUILD  # noqa: E402

try:
    from swift.cli import ringbuilder
    from swift.common import utils
    from swift.common.ring import Ring, RingBuilder, RingData
except ImportError:
    ringbuilder = None

LOOKUP = BUILD / "bin" / "bench_ring_lookup"


def ours(builder, *words, status=0):
    """`apus ring`: what it wrote; its status must be `status`, or one of them."""
    done = subprocess.run([str(APUS), "ring", str(builder), *map(str, words)], capture_output=True, text=True)
    allowed = status if isinstance(status, tuple) else (status,)
    if done.returncode not in allowed:
        raise AssertionError(f"{words}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def swifts(builder, *words, status=0):
    """The same of swift-ring-builder, in this process: starting it takes half a second."""
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            ringbuilder.main(["swift-ring-builder", str(builder), *map(str, words)])
        except SystemExit as end:
            code = end.code or 0
    allowed = status if isinstance(status, tuple) else (status,)
    if code not in allowed:
        raise AssertionError(f"{words}: status {code}\n{out.getvalue()}")
    return out.getvalue()


def devices(regions=1, zones=4, servers=2, disks=2, weight=lambda n: 100):
    out = []
    for r in range(regions):
        for z in range(zones):
            for s in range(servers):
                for d in range(disks):
                    out += [f"r{r}z{z}-10.{r}.{z}.{s}:6200R10.9.{z}.{s}:6203/d{d}_m{d}", weight(len(out) // 2)]
    return out


OK = (0, 1)  # a rebalance warns when the ring could be better
# (name, commands): alike on both, each with its own rings.
SCRIPTS = (
    ("grows", [["create", 10, 3, 1], ["add", *devices()], ["rebalance"], ["pretend_min_part_hours_passed"],
               ["add", "r0z0-10.0.0.0:6200/new", 100, "r0z2-10.0.2.1:6200/new", 200], ["rebalance"],
               ["pretend_min_part_hours_passed"], ["rebalance", "-f"]]),
    ("shrinks", [["create", 10, 3, 1], ["add", *devices(zones=5)], ["rebalance"], ["remove", "d3"],
                 ["set_weight", "d7", 0], ["rebalance"], ["pretend_min_part_hours_passed"], ["rebalance"]]),
    ("loses a zone", [["create", 10, 3, 1], ["add", *devices(zones=5)], ["rebalance"],
                      ["remove", "z2", "--yes"], ["rebalance"], ["pretend_min_part_hours_passed"],
                      ["rebalance", "-f"]]),
    ("regions", [["create", 9, 3, 0], ["add", *devices(2, 2, 2, 3, lambda n: 50 if n < 6 else 100)],
                 ["rebalance"], ["set_region", "r1z1", 2, "--yes"], ["rebalance"], ["rebalance", "-f"]]),
    ("weights", [["create", 10, 3, 1], ["add", *devices(1, 3, 2, 4, lambda n: 25 * (1 + n % 5))],
                 ["rebalance"], ["set_overload", "20%"], ["pretend_min_part_hours_passed"],
                 ["rebalance", "-f"]]),
    ("replicas", [["create", 8, 2, 1], ["add", *devices(1, 4, 1, 3)], ["rebalance"], ["set_replicas", 3],
                  ["rebalance"], ["set_replicas", 4], ["rebalance"], ["pretend_min_part_hours_passed"],
                  ["set_replicas", 2], ["rebalance"]]),
)


@unittest.skipIf(ringbuilder is None, "python3-swift is not installed")
class RingTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-ring-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)  # Swift writes its temporary ring files there
        utils.HASH_PATH_SUFFIX, utils.HASH_PATH_PREFIX = b"ring", b""

    def test_same_commands_give_as_good_a_ring(self):
        for name, commands in SCRIPTS:
            with self.subTest(name):
                their = self.folder / f"{name}-swift.builder"
                mine = self.folder / f"{name}-apus.builder"
                for number, words in enumerate(commands):
                    seed = ["--seed", number] if words[0] == "rebalance" else []
                    status = OK if words[0] == "rebalance" else 0
                    swifts(their, *words, *seed, status=status)
                    ours(mine, *words, *seed, status=status)
                    if words[0] != "rebalance":
                        continue
                    swift, apus = RingBuilder.load(str(their)), RingBuilder.load(str(mine))
                    apus.validate()
                    self.assertLessEqual(round(apus.get_balance(), 2), round(swift.get_balance(), 2), words)
                    self.assertLessEqual(round(apus.dispersion, 2), round(swift.dispersion, 2), words)
                self.assertEqual([d and (d["id"], d["ip"], d["weight"]) for d in swift.devs],
                                 [d and (d["id"], d["ip"], d["weight"]) for d in apus.devs])

    def test_a_builder_goes_from_hand_to_hand(self):
        builder = self.folder / "object.builder"
        tools = [ours, swifts]
        steps = [["create", 9, 2.5, 0], ["add", *devices()], ["set_overload", 0.1], ["rebalance"],
                 ["set_info", "d1", "10.7.7.7:6299R10.8.8.8/sdz_moved"], ["remove", "d2"], ["rebalance"],
                 ["set_weight", "d5", 10.5], ["set_zone", "d6", 9], ["set_replicas", 3], ["rebalance"],
                 ["prepare_increase_partition_power"], ["increase_partition_power"],
                 ["finish_increase_partition_power"], ["pretend_min_part_hours_passed"],
                 ["set_min_part_hours", 7], ["rebalance", "-f"], ["write_ring"], ["validate"]]
        for turn in range(2):
            builder.unlink(missing_ok=True)
            for number, words in enumerate(steps):
                tools[(number + turn) % 2](builder, *words, status=OK if words[0] == "rebalance" else 0)
                if words[0] in ("create", "add"):
                    continue
                # Both show the same of it, to the letter.
                self.assertEqual(self.shown(ours(builder)), self.shown(swifts(builder)), words)
                if RingBuilder.load(str(builder)).ever_rebalanced:
                    self.assertEqual(ours(builder, "dispersion", "-v", status=OK),
                                     swifts(builder, "dispersion", "-v", status=OK), words)
                    self.assertEqual(ours(builder, "list_parts", "z1"), swifts(builder, "list_parts", "z1"))
                self.assertEqual(ours(builder, "search", "z1"), swifts(builder, "search", "z1"), words)

    def shown(self, text):
        return re.sub(r"\(\d+:\d\d:\d\d remaining\)", "", re.sub(r"\n\n(.|\n)*", "", text)).rstrip()

    def rings(self):
        """A ring by each tool, and one with a fractional replica count."""
        for name, tool, replicas in (("apus", ours, 3), ("swift", swifts, 3), ("fraction", ours, 2.4)):
            builder = self.folder / f"{name}.builder"
            tool(builder, "create", 12, replicas, 1)
            tool(builder, "add", *devices(2, 3, 3, 3, lambda n: 50 + n))
            tool(builder, "rebalance", "--seed", name, status=OK)
            yield self.folder / f"{name}.ring.gz"

    def test_look_ups_are_the_same(self):
        chance = random.Random(17)
        for path in self.rings():
            with self.subTest(path.name):
                ring = Ring(str(path))
                wanted, asked = [], []
                for number in range(10_000):
                    name = f"/a{chance.random()}/c/o{number}"
                    part, nodes = ring.get_nodes(*name[1:].split("/", 2))
                    more = ring.get_more_nodes(part)
                    handoffs = [next(more)["id"] for _ in range(3)] if number % 50 else [n["id"] for n in more]
                    asked.append(f"{utils.hash_path(*name[1:].split('/', 2))} {len(handoffs)}")
                    wanted.append(f"{part} {' '.join(str(n['id']) for n in nodes)} : "
                                  f"{' '.join(map(str, handoffs))}".rstrip())
                done = subprocess.run([str(LOOKUP), str(path)], input="\n".join(asked), capture_output=True,
                                      text=True, check=True)
                self.assertEqual(done.stdout.splitlines(), wanted)

    def test_a_ring_gives_a_builder_back(self):
        for tool, other in ((ours, swifts), (swifts, ours)):
            builder = self.folder / "lost.builder"
            tool(builder, "create", 8, 3, 1)
            tool(builder, "add", *devices())
            tool(builder, "rebalance", status=OK)
            builder.unlink()
            other(self.folder / "lost.ring.gz", "write_builder", 3)
            tool(builder, "validate")
            self.assertIn("(0:00:00 remaining)", tool(builder))
            self.assertIn("lost.ring.gz is up-to-date", tool(builder))

    def test_pickles_of_old_releases(self):
        builder = self.folder / "old.builder"
        swifts(builder, "create", 8, 2.5, 1)
        swifts(builder, "add", *devices())
        swifts(builder, "rebalance", status=OK)
        ring = RingData.load("old.ring.gz")
        ask = lambda name: subprocess.run([str(LOOKUP), name], input="\n".join(
            f"{number:02x}" + "0" * 30 + " 3" for number in range(256)), capture_output=True, text=True, check=True).stdout
        wanted = ask("old.ring.gz")
        as_dict = {"devs": ring.devs, "part_shift": ring._part_shift, "replica2part2dev_id": ring._replica2part2dev_id}
        for content in (as_dict, ring):
            with gzip.open("older.ring.gz", "wb") as file:
                pickle.dump(content, file, protocol=2)
            self.assertEqual(ask("older.ring.gz"), wanted)
        shown = self.shown(ours(builder))
        instance = RingBuilder.load(str(builder))
        del instance.logger
        with open(builder, "wb") as file:
            pickle.dump(instance, file, protocol=2)
        self.assertEqual(self.shown(ours(builder)), shown)
        ours(builder, "validate")

    def test_a_scenario(self):
        add = [["add", word, weight] for word, weight in zip(devices()[::2], devices()[1::2])]
        scenario = {"part_power": 8, "replicas": 3, "overload": 0.1, "random_seed": 5,
                    "rounds": [add, [["remove", 3], ["set_weight", 5, 50]], [["add", "z1-10.0.1.1:6200/new", 300]]]}
        pathlib.Path("scenario.json").write_text(json.dumps(scenario))
        mine, their = [subprocess.run([tool, "scenario.json"], capture_output=True, text=True, check=True).stdout
                       for tool in (str(BUILD / "bin" / "swift-ring-builder-analyzer"),
                                    "/usr/bin/swift-ring-builder-analyzer")]
        line = re.compile(r"Round \d+|\tRebalance \d+: moved \d+ parts, balance is ([\d.]+), \d+ removed devs")
        for text in (mine, their):
            for written in text.splitlines():
                self.assertRegex(written, line)
        last = lambda text: float(line.search(text.splitlines()[-1])[1])
        self.assertLessEqual(last(mine), last(their) + 0.01)
        self.assertEqual(mine.count("Round"), their.count("Round"))

    def test_the_safe_tool_waits_for_the_folder(self):
        safe = self.folder / "swift-ring-builder-safe"
        safe.symlink_to(APUS)
        builder = self.folder / "x.builder"
        subprocess.run([str(safe), str(builder), "create", "4", "1", "1"], check=True)
        with open(self.folder / ".lock", "w") as lock:  # as Swift's lock_parent_directory
            fcntl.flock(lock, fcntl.LOCK_EX)
            with subprocess.Popen([str(safe), str(builder), "set_replicas", "2"], stdout=subprocess.PIPE) as waiting:
                with self.assertRaises(subprocess.TimeoutExpired):
                    waiting.wait(1)
                self.assertEqual(RingBuilder.load(str(builder)).replicas, 1)
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.assertEqual(waiting.wait(60), 0)
        self.assertEqual(RingBuilder.load(str(builder)).replicas, 2)

    def test_statuses(self):
        builder = self.folder / "x.builder"
        same = [(["create", 8, 3, 1], 0), (["rebalance"], 2), (["add", *devices(disks=1)], 0), (["search", "z9"], 2),
                (["list_parts", "d0"], 2), (["dispersion"], 2), (["validate"], 2), (["rebalance"], 0),
                (["rebalance"], 1), (["nonsense"], 2), (["add", "r0z0-10.0.0.0:6200/d0", 1], 2),
                (["add", "z-10.0.0.0:6200/d0", 1], 2), (["add", "r1z1-10.0.0.0:6200/n", -1], 2),
                (["set_replicas", 0], 2), (["set_overload", 2], 1), (["set_overload", "-1"], 2),
                (["prepare_increase_partition_power"], 2), (["dispersion"], 0), (["remove", "d99"], 2),
                (["write_builder"], 2), (["write_ring"], 0), (["create", 40, 3, 1], 2), (["set_weight", "d0"], 2)]
        for tool in (swifts, ours):
            builder.unlink(missing_ok=True)
            for words, status in same:
                try:
                    tool(builder, *words, status=status)
                except ValueError as error:  # what Swift does not catch ends with 2
                    self.assertEqual(status, 2, error)
                except Exception as error:
                    if tool is ours or type(error) is AssertionError:
                        raise
                    self.assertEqual(status, 2, error)

    def test_names(self):
        for name in ("swift-ring-builder", "swift-ring-builder-analyzer", "swift-ring-composer"):
            done = subprocess.run([str(BUILD / "bin" / name), "--help"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(name, done.stdout)

    def test_a_composite(self):
        for region in (1, 2):
            builder = self.folder / f"region{region}.builder"
            ours(builder, "create", 8, region, 1)
            ours(builder, "add", *[w.replace("r0", f"r{region}").replace("10.0", f"10.{region}")
                                   if isinstance(w, str) else w for w in devices()])
            ours(builder, "rebalance", status=OK)
        composer = [str(BUILD / "bin" / "swift-ring-composer"), "c.json"]
        both = ["region1.builder", "region2.builder", "--output"]
        subprocess.run([*composer, "compose", *both, "mine.ring.gz"], check=True)
        shown = subprocess.run([*composer, "show"], check=True, capture_output=True).stdout
        their = ["/usr/bin/swift-ring-composer"]
        self.assertEqual(subprocess.run([*their, "c.json", "show"], check=True, capture_output=True).stdout, shown)
        subprocess.run([*their, "d.json", "compose", *both, "their.ring.gz"], check=True, capture_output=True)
        mine, swift = Ring("mine.ring.gz"), Ring("their.ring.gz")
        for device in swift.devs:  # Swift lets some of the builder's own keys through
            device.pop("parts"), device.pop("parts_wanted")
        self.assertEqual(mine.devs, swift.devs)
        self.assertEqual(mine._replica2part2dev_id, swift._replica2part2dev_id)
        again = subprocess.run([*composer, "compose", *both, "mine.ring.gz"], capture_output=True, text=True)
        self.assertEqual(again.returncode, 2)
        self.assertIn("newer", again.stderr)


if __name__ == "__main__":
    unittest.main()
