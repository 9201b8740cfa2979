"""Containers sharded by Debian's sharder and ours at the same time, each on one node of a mixed cluster."""

import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.processes import ApusUp  # noqa: E402
from harness.sharding_cluster import ShardingCluster  # noqa: E402

ACTIVE = 40
MIXED = (("container", 2), ("account", 2), ("object", 2))
BOTH = {1: "debian", 2: "apus"}
ROWS = 1200
NAMES = [f"dir {number % 7}/obj é {number:05d}" for number in range(ROWS)]


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Sharding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(ShardingCluster())
        cls.cluster.mix(MIXED)

    def setUp(self):
        for place, child in self.cluster.children.items():
            self.assertIsNone(child.process.poll(), (place, child.output()))
        self.doors = {}
        for door, port in self.cluster.doors.items():
            self.doors[door] = Client(port, timeout=120).authenticate(ApusUp.USER, ApusUp.KEY)
            self.addCleanup(self.doors[door].close)

    def make(self, container, names=NAMES):
        """A container of so many rows, some of them of objects that came through the proxies."""
        path = f"/{ApusUp.ACCOUNT}/{container}"
        self.ask("debian", "PUT", container, 201)
        for number, door in enumerate(("debian", "apus") * 4):
            self.ask(door, "PUT", f"{container}/dir 3/uploaded {number}", 201, b"x")
        self.cluster.add_rows(path, names)
        return path, sorted([*names, *(f"dir 3/uploaded {number}" for number in range(8))])

    def ask(self, door, method, path, status, body=None, query=None, **headers):
        client = self.doors[door]
        client.close()  # sharders take their time, and idle connections end
        answer = client.request(method, f"{client.account}/{path}", body, headers, query)
        self.assertEqual(answer.status, status, f"{method} {path} at {door}: {answer}\n{self.cluster.logs()}")
        return answer

    def listed(self, door, container, **query):
        answer = self.ask(door, "GET", container, 200, query={"format": "json", **query})
        return [row.get("name", row.get("subdir")) for row in json.loads(answer.body)]

    def sharders(self, makers=None, **options):
        return self.cluster.run("container-sharder", makers or BOTH, cleave_row_batch_size=100,
                                **{"cleave_batch_size": 3, **options})

    def check_logs(self, said, expected="never"):
        """No complaint in what the sharders said, but for lines that `expected` matches. And Debian's container server
        may answer 500 while a sharder of its node takes the old file of a database away: other copies are asked."""
        debian = f"127.0.0.1:{self.cluster.node_ports['container', 1]}/"
        vanished = f"ERROR 500 .*From Container Server {debian}|Failed to put shard ranges to {debian}.*: 500"
        for node, text in said.items():
            bad = [line for line in text.splitlines() if re.search("ERROR|Traceback|Audit failed|Unhandled|Failed|Refused", line)
                   and not re.search(f"{expected}|{vanished}", line)]
            self.assertEqual(bad, [], f"node {node} of {BOTH}:\n{self.server_errors()}\n{text}")

    def server_errors(self):
        """What container servers answered with 500, and what they said of it."""
        return "\n".join(line for log in sorted((self.cluster.folder / "log").glob("container-*"))
                         for line in log.read_text(errors="replace").splitlines() if re.search('ERROR|" 500 ', line))

    def settle(self, paths, shards, **options):
        """Passes of all sharders until every copy is sharded."""
        whole = [("sharded", {ACTIVE: shards})] * 3
        for _ in range(8):
            self.check_logs(self.sharders(**options))
            states = {path: self.cluster.states(path) for path in paths}
            if all(state == whole for state in states.values()):
                return
        self.fail(f"{states}\n{self.cluster.logs()}")

    def check_whole(self, container, path, expected):
        """Both proxies list the same; every copy of the root knows the sums."""
        for door in self.doors:
            self.assertEqual(self.listed(door, container), expected, door)
            self.assertEqual(self.listed(door, container, reverse="on"), expected[::-1], door)
            middle = expected[len(expected) // 3]
            self.assertEqual(self.listed(door, container, marker=middle, limit=350),
                             [name for name in expected if name > middle][:350], door)
            self.assertEqual(self.listed(door, container, prefix="dir 3/"),
                             [name for name in expected if name.startswith("dir 3/")], door)
            self.assertEqual(self.listed(door, container, delimiter="/"), [f"dir {n}/" for n in range(7)], door)
        for device in self.cluster.primaries(path):
            head = self.cluster.direct(device, "HEAD", path)
            self.assertEqual(head.headers["X-Container-Object-Count"], str(len(expected)), device)
            self.assertEqual(head.headers["X-Container-Bytes-Used"], str(len(expected)), device)
            broker = self.cluster.broker(path, device)
            self.assertEqual((broker.get_db_state(), broker.is_root_container()), ("sharded", True))
            self.assertEqual([len(self.cluster.files(path, device)), broker.get_objects()], [1, []])

    def upload(self, container, path, expected):
        """What comes now goes to the shard whose name it is."""
        fresh = ["dir 0/", "dir 2/~", "dir 5/new é", "zzz"]
        for number, name in enumerate(fresh):
            self.ask(("debian", "apus")[number % 2], "PUT", f"{container}/{name}", 201, b"y")
        ranges = self.cluster.shard_ranges(path, self.cluster.primaries(path)[0])
        for name in fresh:
            [shard] = [row["name"] for row in ranges
                       if row["lower"] < name and (not row["upper"] or name <= row["upper"])]
            for device in self.cluster.primaries("/" + shard):
                rows = self.cluster.direct(device, "GET", "/" + shard, query={"format": "json", "prefix": name})
                self.assertIn(name, [row["name"] for row in json.loads(rows.body)], shard)
        return sorted([*expected, *fresh])

    def bounds_agree(self, file):
        """Both tools find the same bounds; what they say of the container is the same."""
        found = {maker: self.cluster.tool(maker, "--force-commits", file, "find", "250", "--minimum-shard-size", "100")
                 for maker in ("debian", "apus")}
        for maker, done in found.items():
            self.assertEqual(done.returncode, 0, done)
        bounds = json.loads(found["apus"].stdout)
        self.assertEqual(bounds, json.loads(found["debian"].stdout))
        self.assertEqual([row["object_count"] for row in bounds], [250, 250, 250, 250, ROWS + 8 - 1000])
        for command in (["show"], ["info"]):
            said = {maker: self.cluster.tool(maker, file, *command).stdout for maker in ("debian", "apus")}
            hide = lambda text: re.sub(r"\d{10}\.\d{5}", "TIME", text)
            self.assertEqual(sorted(hide(said["apus"]).split("\n")), sorted(hide(said["debian"]).split("\n")))
        return bounds

    def enable(self, container, maker):
        """New bounds by one tool; the other agrees with what it finds there."""
        path, expected = self.make(container)
        [file] = self.cluster.files(path, self.cluster.primaries(path)[0])
        self.bounds_agree(file)
        done = self.cluster.tool(maker, "--force-commits", file, "find_and_replace", "250", "--minimum-shard-size", "100",
                                 "--enable")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("Injected 5 shard ranges.", done.stdout)
        other = {"debian": "apus", "apus": "debian"}[maker]
        self.assertEqual(len(json.loads(self.cluster.tool(other, file, "show").stdout)), 5)
        self.assertIn("No action required", self.cluster.tool(other, file, "enable").stdout)
        return path, expected

    def test_1_ranges_of_both_tools(self):
        made = {container: self.enable(container, maker) for container, maker in (("ours", "apus"), ("theirs", "debian"))}
        # All copies learn of the ranges.
        self.cluster.run("container-replicator", BOTH, per_diff=1000)
        self.settle([path for path, _ in made.values()], 5)
        for container, (path, expected) in made.items():
            self.check_whole(container, path, expected)
        made = {container: (path, self.upload(container, path, expected)) for container, (path, expected) in made.items()}
        self.check_logs(self.sharders())
        for container, (path, expected) in made.items():
            for door in self.doors:
                self.assertEqual(self.listed(door, container), expected, door)
            for device in self.cluster.primaries(path):
                head = self.cluster.direct(device, "HEAD", path)
                self.assertEqual(head.headers["X-Container-Object-Count"], str(len(expected)), device)

    def led_by(self, node):
        """A container whose first primary is on that node."""
        for number in range(100):
            path = f"/{ApusUp.ACCOUNT}/auto {number}"
            if self.cluster.node_of(self.cluster.primaries(path)[0]) == node:
                return path.rpartition("/")[2]
        raise AssertionError("no such container")

    def names(self, path, device):
        """Of one copy's own rows."""
        rows = self.cluster.direct(device, "GET", path, query={"format": "json"}, X_Backend_Record_Type="object").body
        return [row["name"] for row in json.loads(rows)]

    def shrink(self, path, keep):
        """Leaves `keep` rows alone in the shards."""
        first = self.cluster.primaries(path)[0]
        for row in self.cluster.shard_ranges(path, first):
            shard = "/" + row["name"]
            there = json.loads(self.cluster.direct(self.cluster.primaries(shard)[0], "GET", shard,
                                                   query={"format": "json"}).body)
            self.cluster.remove_rows(shard, [item["name"] for item in there if item["name"] not in keep])

    def test_2_a_leader_shards_and_shrinks_by_itself(self):
        container = self.led_by(2)  # ours
        path, expected = self.make(container, NAMES[:112])
        self.ask("debian", "POST", container, 204)
        client = Client(self.cluster.doors["debian"]).authenticate("admin:admin", "owner-of-all")
        self.addCleanup(client.close)
        answer = client.request("POST", f"/v1{path}", headers={"X-Container-Sharding": "on"})
        self.assertEqual(answer.status, 204, answer)
        sizes = {"auto_shard": "yes", "shard_container_threshold": 100, "minimum_shard_size": 10}
        self.settle([path], 3, **sizes)
        self.check_whole(container, path, expected)
        keep = expected[::20]
        self.shrink(path, keep)
        # Tombstones count as rows: they go first.
        self.check_logs(self.sharders({1: "apus", 2: "apus"}, reclaim_age=0))
        # The root may take in one copy of the last shard before another that has more rows. A copy of the root that has
        # the rows and has not yet heard that the shard is gone finds no place for them: they stay where they belong.
        early = "Failed to find destination for at least"
        for _ in range(12):
            self.check_logs(self.sharders({1: "apus", 2: "apus"}, **sizes), early)
            if [state for state, _ in self.cluster.states(path)] == ["collapsed"] * 3 and all(
                    self.names(path, device) == keep for device in self.cluster.primaries(path)):
                break
        else:
            there = [self.names(path, device) for device in self.cluster.primaries(path)]
            self.fail(f"{self.cluster.states(path)} {there}\n{self.cluster.logs()}")
        for door in self.doors:  # past the ranges that proxies keep in their cache for ten minutes
            answer = self.ask(door, "GET", container, 200, query={"format": "json"}, **{"X-Newest": "true"})
            self.assertEqual([row["name"] for row in json.loads(answer.body)], keep, door)


if __name__ == "__main__":
    unittest.main(verbosity=2)
