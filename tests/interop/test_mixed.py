"""Mixed clusters: proxies of both kinds over back ends of both kinds, on the same rings, disks, databases and
memcached. The disks stay from mix to mix. In each, real clients travel; then what every replica says is compared, and
Debian's auditors look at all of it."""

import hashlib
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from journey import checksums, run  # noqa: E402

from harness.debian_swift import KINDS, missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_cluster import NODES, MixedCluster  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

BIG = 2_500_000
FILES = 30
ODD_NAMES = ("été/☃ snow man.txt", "plus+and%20percent?.bin", "a b/ c", "semi;colon&amp", "empty")
EVERYTHING = frozenset((kind, node) for kind in KINDS for node in NODES)


def write_tree(folder, seed):
    """Small files of all kinds of names; how many."""
    made = random.Random(seed)
    names = [f"plain/{made.randrange(5)}/file {number}" for number in range(FILES)] + list(ODD_NAMES)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "empty" else made.randbytes(made.randrange(1, 20_000)))
    return len(names)


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class MixedClusters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(MixedCluster())
        cls.kept = {}  # container -> its objects' MD5s, of the mixes so far

    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="apus-mixed-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.name = self.id().rpartition(".")[2].removeprefix("test_")

    def travel(self, apus, writer, reader, part=""):
        """The journeys in one mix: what is written through one proxy is read through the other."""
        self.cluster.mix(apus)
        self.kept_is_there(reader)
        try:
            self.swiftclient(writer, reader)
            self.rclone(writer, reader)
            self.plain_http(writer, reader)
            self.keep(writer, self.name + part)
            self.kept_is_there(reader)
            self.replicas_agree(apus, reader)
            self.auditors_are_content()
            self.no_server_complained()
        except (AssertionError, RuntimeError) as error:
            raise AssertionError(f"{error}\n{self.cluster.logs()}") from None

    def environment(self, door):
        auth = f"http://127.0.0.1:{self.cluster.doors[door]}/auth/v1.0"
        return {**os.environ, "ST_AUTH": auth, "ST_USER": ApusUp.USER, "ST_KEY": ApusUp.KEY, "HOME": str(self.scratch),
                "RCLONE_CONFIG_S_TYPE": "swift", "RCLONE_CONFIG_S_AUTH": auth, "RCLONE_CONFIG_S_USER": ApusUp.USER,
                "RCLONE_CONFIG_S_KEY": ApusUp.KEY, "RCLONE_CONFIG_S_AUTH_VERSION": "1"}

    def client(self, door):
        client = Client(self.cluster.doors[door], timeout=120).authenticate(ApusUp.USER, ApusUp.KEY)
        self.addCleanup(client.close)
        return client

    def swiftclient(self, writer, reader):
        swift = lambda door, *words, **more: run("swift", *words, env=self.environment(door), seconds=120, **more)
        tree, back = self.scratch / "tree", self.scratch / "back"
        count = write_tree(tree, seed=4)
        size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
        swift(writer, "upload", "tree", ".", cwd=tree)
        self.assertEqual(len(swift(reader, "list", "tree").stdout.splitlines()), count)
        swift(writer, "post", "tree", "-m", "color:bleu é", "-r", ".r:*,.rlistings")
        told = swift(reader, "stat", "tree").stdout
        self.assertRegex(told, rf"Objects: {count}\n")
        self.assertRegex(told, rf"Bytes: {size}\n")
        self.assertIn("Meta Color: bleu é", told)
        swift(reader, "download", "tree", "-D", back)
        self.assertEqual(checksums(tree), checksums(back))
        swift(writer, "delete", "tree")
        big = self.scratch / "big"
        big.write_bytes(random.Random(5).randbytes(BIG))
        swift(writer, "upload", "--use-slo", "-S", "1000000", "large", "big", cwd=self.scratch)
        swift(reader, "download", "large", "big", "-o", self.scratch / "big back")
        self.assertEqual(big.read_bytes(), (self.scratch / "big back").read_bytes())
        swift(writer, "delete", "large")

    def rclone(self, writer, reader):
        rclone = lambda door, *words: run("rclone", "--config", self.scratch / "none", *words,
                                          env=self.environment(door), seconds=120)
        tree, back = self.scratch / "tree", self.scratch / "rclone back"
        rclone(writer, "sync", tree, "s:clone")
        self.assertIn("0 differences found", rclone(reader, "check", tree, "s:clone").stdout)
        for number, path in enumerate(sorted(tree.glob("plain/*/*"))[:8]):
            path.unlink() if number % 2 else path.write_bytes(b"changed %d" % number)
        rclone(writer, "sync", tree, "s:clone")
        rclone(reader, "sync", "s:clone", back)
        self.assertEqual(checksums(tree), checksums(back))
        for container in ("clone", "large_segments"):
            rclone(writer, "purge", f"s:{container}")

    def plain_http(self, writer, reader):
        to, at = self.client(writer), self.client(reader)
        # One token is good at both: they share it by memcached.
        at.headers = to.headers
        put = lambda path, *rest, **more: to.request("PUT", to.account + path, *rest, **more)
        get = lambda path, **more: at.request("GET", at.account + path, **more)
        check = lambda answer, status: self.assertEqual(answer.status, status, answer)
        check(get("/plain"), 404)
        check(put("/plain"), 201)
        check(put("/plain"), 202)
        check(get("/plain"), 204)
        body = random.Random(6).randbytes(3 << 20)
        made = put("/plain/big", body, {"Content-Type": "a/b", "X-Object-Meta-Snow": "\xe2\x98\x83"})
        check(made, 201)
        self.assertEqual(made.headers["Etag"], hashlib.md5(body).hexdigest())
        check(put("/plain/big", b"x", {"If-None-Match": "*"}), 412)
        check(put("/plain/big", b"x", {"Etag": "0" * 32}), 422)
        self.assertEqual(get("/plain/big").body, body)
        part = get("/plain/big", headers={"Range": "bytes=1000-1999"})
        check(part, 206)
        self.assertEqual(part.body, body[1000:2000])
        several = get("/plain/big", headers={"Range": "bytes=0-9,100-119"})
        check(several, 206)
        self.assertIn(body[100:120], several.body)
        check(get("/plain/big", headers={"If-None-Match": made.headers["Etag"]}), 304)
        check(get("/plain/big", headers={"If-Match": "other"}), 412)
        check(get("/plain/big", headers={"Range": "bytes=99999999-"}), 416)
        check(to.request("POST", to.account + "/plain/big", headers={"X-Object-Meta-Color": "blue"}), 202)
        head = at.request("HEAD", at.account + "/plain/big", headers={"X-Newest": "true"})
        check(head, 200)
        self.assertEqual(head.headers["X-Object-Meta-Color"], "blue")
        self.assertNotIn("X-Object-Meta-Snow", head.headers)
        check(put("/plain/a/b", b""), 201)
        check(put("/plain/chunked", iter([b"one", b"two"]), chunked=True), 201)
        self.assertEqual(get("/plain/chunked").body, b"onetwo")
        listing = json.loads(get("/plain", query={"format": "json", "delimiter": "/"}).body)
        self.assertEqual([row.get("name", row.get("subdir")) for row in listing], ["a/", "big", "chunked"])
        self.assertEqual(listing[1]["bytes"], len(body))
        self.assertEqual(listing[1]["hash"], made.headers["Etag"])
        check(put("/plain/later", b"x", {"X-Delete-After": "3600"}), 201)
        self.assertIn("X-Delete-At", at.request("HEAD", at.account + "/plain/later").headers)
        check(to.request("COPY", to.account + "/plain/big", headers={"Destination": "plain/copy"}), 201)
        self.assertEqual(get("/plain/copy").body, body)
        self.public_reads(to, reader)
        check(to.request("DELETE", to.account + "/plain"), 409)
        for name in ("big", "a/b", "chunked", "later", "copy"):
            check(to.request("DELETE", f"{to.account}/plain/{name}"), 204)
            check(to.request("DELETE", f"{to.account}/plain/{name}"), 404)
            check(get(f"/plain/{name}"), 404)
        check(to.request("DELETE", to.account + "/plain"), 204)
        check(get("/plain"), 404)

    def public_reads(self, to, reader):
        """What one proxy has cached of a container is gone once the other changed it."""
        nobody = Client(self.cluster.doors[reader])
        self.addCleanup(nobody.close)
        for acl, status in (("", 401), (".r:*", 200), ("", 401)):
            answer = to.request("POST", to.account + "/plain", headers={"X-Container-Read": acl})
            self.assertEqual(answer.status, 204, answer)
            self.assertEqual(nobody.request("GET", to.account + "/plain/copy").status, status, acl)

    def keep(self, door, container):
        """A few objects that all mixes to come must find."""
        client, made = self.client(door), random.Random(7)
        self.assertEqual(client.request("PUT", f"{client.account}/{container}").status, 201)
        self.kept[container] = {}
        for number in range(6):
            name, body = f"n {number} ü", made.randbytes(made.randrange(1, 3000))
            self.assertEqual(client.request("PUT", f"{client.account}/{container}/{name}", body).status, 201)
            self.kept[container][name] = hashlib.md5(body).hexdigest()
        # One of them is newer than its first form, and one is gone.
        body = b"second"
        self.assertEqual(client.request("PUT", f"{client.account}/{container}/n 0 ü", body).status, 201)
        self.kept[container]["n 0 ü"] = hashlib.md5(body).hexdigest()
        self.assertEqual(client.request("DELETE", f"{client.account}/{container}/n 1 ü").status, 204)
        del self.kept[container]["n 1 ü"]

    def kept_is_there(self, door):
        client = self.client(door)
        for container, objects in self.kept.items():
            rows = json.loads(client.request("GET", f"{client.account}/{container}", query={"format": "json"}).body)
            self.assertEqual({row["name"]: row["hash"] for row in rows}, objects, container)
            for name, digest in objects.items():
                answer = client.request("GET", f"{client.account}/{container}/{name}")
                self.assertEqual((answer.status, hashlib.md5(answer.body).hexdigest()), (200, digest), name)
            self.assertEqual(client.request("GET", f"{client.account}/{container}/n 1 ü").status, 404)

    def replicas_agree(self, apus, door):
        """Counts of every replica of every database, and copies on the disks."""
        # A container's totals come to its account by the updater.
        self.cluster.run_daemons("container-updater", apus=("container", 1) in apus, account_suppression_time=0)
        client = self.client(door)
        listed = json.loads(client.request("GET", client.account, query={"format": "json"}).body)
        self.assertEqual({row["name"]: row["count"] for row in listed}, {c: len(o) for c, o in self.kept.items()})
        total = 0
        for row in listed:
            total += row["count"]
            for answer in self.cluster.heads("container", f"/{ApusUp.ACCOUNT}/{row['name']}"):
                self.assertEqual(answer.status, 204, answer)
                self.assertEqual(int(answer.headers["X-Container-Object-Count"]), row["count"], row["name"])
                self.assertEqual(int(answer.headers["X-Container-Bytes-Used"]), row["bytes"], row["name"])
        for answer in self.cluster.heads("account", f"/{ApusUp.ACCOUNT}"):
            self.assertEqual(answer.status, 204, answer)
            self.assertEqual(int(answer.headers["X-Account-Object-Count"]), total)
            self.assertEqual(int(answer.headers["X-Account-Container-Count"]), len(self.kept))
        copies = self.cluster.data_files()
        self.assertEqual(len(copies), total)
        self.assertEqual({key: len(paths) for key, paths in copies.items() if len(paths) != 3}, {})

    def auditors_are_content(self):
        said = self.cluster.audit()
        self.assertEqual(self.cluster.quarantined(), [], said)
        self.assertRegex(said["object-auditor"], "Total quarantined: 0, Total errors: 0")

    def no_server_complained(self):
        for place, child in self.cluster.children.items():
            said = child.output()
            self.assertNotRegex(said, "ERROR|returning 503|Traceback", place)
            if place[0] == "object":
                self.assertIn("PUT /d", said, place)

    def test_1_apus_proxy_over_debians_back_ends(self):
        self.travel((), "apus", "apus")

    def test_2_debians_proxy_over_apus_back_ends(self):
        self.travel(EVERYTHING, "debian", "debian")

    def test_3_each_kind_of_back_end_swapped_alone(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.travel({(kind, node) for node in NODES}, "debian", "debian", kind)

    def test_4_half_of_the_nodes_of_each_kind(self):
        self.travel({(kind, 2) for kind in KINDS}, "apus", "debian", "a")
        self.travel({(kind, 1) for kind in KINDS}, "debian", "apus", "b")

    def test_5_a_node_goes_to_apus_and_back(self):
        self.cluster.mix(())
        self.keep("debian", "before")
        self.cluster.mix({(kind, 1) for kind in KINDS})
        self.kept_is_there("debian")
        self.keep("apus", "between")
        self.cluster.mix(())
        self.travel((), "debian", "apus", "after")

    def test_6_the_auditors_would_tell(self):
        one = next(iter(self.cluster.data_files().values()))[0]
        with open(one, "r+b") as file:
            file.write(b"\xff\xfe\xfd")
        for kind in ("container", "account"):
            next(self.cluster.devices_root.glob(f"d*/{kind}s/*/*/*/*.db")).write_bytes(b"no database")
        self.cluster.audit()
        self.assertEqual(len(self.cluster.quarantined()), 3, self.cluster.quarantined())


if __name__ == "__main__":
    unittest.main(verbosity=2)
