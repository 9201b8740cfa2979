"""The operators' tools that need no servers, Debian's and Apus', on the same rings, disks and databases."""

import hmac
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import DebianSwift, missing_parts  # noqa: E402
from harness.operators import missing_tools, run_apus  # noqa: E402

# Run by Debian's Python in Swift's environment: an account, containers and objects as Swift writes them.
MAKE = r"""
import json, os, sys
from swift.account.backend import AccountBroker
from swift.common.utils import ShardRange, Timestamp, hash_path, storage_directory
from swift.container.backend import ContainerBroker
from swift.obj.diskfile import write_metadata
root = sys.argv[1]
stamp = lambda seconds: Timestamp(1700000000 + seconds)

def database(kind, *names):
    hashed = hash_path(*names)
    folder = os.path.join(root, "d1", storage_directory(kind + "s", 7, hashed))
    os.makedirs(folder)
    return os.path.join(folder, hashed + ".db")

account = AccountBroker(database("account", "AUTH_a"), account="AUTH_a")
account.initialize(stamp(1).internal)
account.put_container("c", stamp(2).internal, "0", 3, 4096, 0)  # stays a pending row
account.update_metadata({"X-Account-Meta-Zebra": ("it's", stamp(3).internal), "X-Account-Meta-Color": ("bl\u00fc", stamp(3).internal),
                         "X-Account-Sysmeta-Core": ("1", stamp(3).internal), "Quota_Bytes": ("9", stamp(3).internal)})
gone = AccountBroker(database("account", "AUTH_gone"), account="AUTH_gone")
gone.initialize(stamp(1).internal)
gone.delete_db(stamp(5).internal)

plain = ContainerBroker(database("container", "AUTH_a", "c"), account="AUTH_a", container="c")
plain.initialize(stamp(1).internal, 1)
for number in range(3):
    plain.put_object("o%d" % number, stamp(number).internal, 7, "text/plain", "e" * 32, 0, 1)
plain.update_metadata({"X-Container-Read": (".r:*", stamp(3).internal), "X-Container-Meta-A": ("", stamp(3).internal)})
split = ContainerBroker(database("container", "AUTH_a", "split"), account="AUTH_a", container="split")
split.initialize(stamp(1).internal, 7)
split.merge_shard_ranges([
    ShardRange(".shards_a/split-1", stamp(2), "", "it's", 5, 10, state=ShardRange.ACTIVE),
    ShardRange(".shards_a/split-2", stamp(2), "it's", "\u00fc", 6, 11, state=ShardRange.CREATED),
    ShardRange(".shards_a/split-3", stamp(2), "\u00fc", "", 7, 12, state=ShardRange.ACTIVE)])

def stored(folder, partition, name, content, metadata, suffix=".data"):
    path = os.path.join(root, "d1", storage_directory(folder, partition, hash_path("AUTH_a", "c", name)))
    os.makedirs(path, exist_ok=True)
    path = os.path.join(path, stamp(9).internal + suffix)
    with open(path, "wb") as data:
        write_metadata(data, metadata)
        data.write(content)
    return path

def fields(name, **more):
    return {"name": "/AUTH_a/c/" + name, "X-Timestamp": stamp(9).internal, "Content-Type": "text/plain",
            "Content-Length": "5", "ETag": "5d41402abc4b2a76b9719d911017c592", **more}

crypto = json.dumps({"iv": "aXY=", "cipher": "AES_CTR_256", "body_key": {"key": "a2V5", "iv": "aXY="}, "key_id": {"v": "2"}}).replace(" ", "+")
objects = {
    "plain": stored("objects", 3, "plain", b"hello", fields("plain", **{
        "X-Object-Meta-Color": "blue", "X-Object-Sysmeta-Core": "1", "X-Object-Meta-A": "z", "X-Delete-At": "1800000000"})),
    "policy": stored("objects-1", 3, "policy/with ü and spaces", b"hello", fields("policy/with ü and spaces")),
    "damaged": stored("objects", 4, "damaged", b"hellO!", fields("damaged")),
    "crypto": stored("objects", 5, "crypto", b"hello", fields("crypto", **{
        "X-Object-Sysmeta-Crypto-Body-Meta": crypto, "X-Object-Transient-Sysmeta-Crypto-Meta": crypto})),
    "tombstone": stored("objects", 6, "tombstone", b"", {"name": "/AUTH_a/c/tombstone", "X-Timestamp": stamp(9).internal}, ".ts"),
    "nameless": stored("objects", 8, "nameless", b"x", {"X-Timestamp": stamp(9).internal}),
}
print(json.dumps({"account": account.db_file, "gone": gone.db_file, "container": plain.db_file,
                  "split": split.db_file, **objects}))
"""


class Disks(DebianSwift):
    """Devices as Swift fills them and rings over them; no server is started."""

    def __init__(self):
        super().__init__(devices=4, replicas=3, part_power=8)

    def write(self):
        super().write()
        with open(self.conf / "swift.conf", "a") as conf:
            conf.write("[storage-policy:1]\nname = silver\naliases = grey\n")
        self.make_ring("object-1", [f"r1z{number}-127.0.0.{number}:6200/s{number}" for number in (1, 2, 3, 4, 5, 6, 7)])
        self.make_ring("wide", [f"r1z1-[2001:db8::{number}]:6200/v{number}" for number in (1, 2, 3, 4)])
        program = self.folder / "make.py"
        program.write_text(MAKE)
        done = self.run_program(program, self.devices_root)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        self.files = json.loads(done.stdout)

    def start(self, kinds=()):
        pass


@unittest.skipIf(missing_parts() or missing_tools("get-nodes"), "Debian's Swift is not installed")
class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.swift = cls.enterClassContext(Disks())

    def both(self, name, *words, stdin=""):
        return self.swift.run_program(name, *words, stdin=stdin), run_apus(name, *words, stdin=stdin)

    def same(self, name, *words, stdin="", mask=lambda text: text):
        """What both print, which is the same, as is the status."""
        debian, apus = self.both(name, *words, stdin=stdin)
        self.assertEqual(mask(apus.stdout), mask(debian.stdout), f"{name} {words}\n{apus.stderr}{debian.stderr}")
        self.assertEqual(apus.returncode, debian.returncode, f"{name} {words}\n{apus.stderr}{debian.stderr}")
        return apus.stdout

    def refused(self, name, *words, status=1):
        """Both end with `status`; Apus with one line that names what is wrong."""
        debian, apus = self.both(name, *words)
        self.assertEqual((debian.returncode, apus.returncode), (status, status), f"{words} {apus} {debian}")
        self.assertEqual(apus.stderr.count("\n"), 1, apus.stderr)
        return apus.stderr

    def test_get_nodes(self):
        conf = self.swift.conf
        here = ("-d", conf)
        silver = conf / "object-1.ring.gz"
        for words in ((conf / "account.ring.gz", "AUTH_a"), (conf / "container.ring.gz", "AUTH_a", "c"),
                      (conf / "object.ring.gz", "AUTH_a", "c", "o/with/ü"), (silver, "AUTH_a", "c", "o"),
                      (silver, "AUTH_a/c/o/p"), (silver, "/AUTH_a/c/"), ("-a", silver, "AUTH_a", "c", "o"),
                      (silver, "-p", "17"), ("-a", conf / "account.ring.gz", "-p", "3"),
                      (conf / "account.ring.gz", "-p", "3", "AUTH_a"),
                      ("-P", "silver", "AUTH_a", "c", "o"), ("-P", "grey", "AUTH_a", "c"), ("-P", "Policy-0", "AUTH_a"),
                      ("-P", "Policy-0", "AUTH_a/c/o"), ("-P", "silver", "-p", "200"), ("-P", "silver", "AUTH_a", "-p", "9"),
                      ("-Q", "-P", "silver", "AUTH_a", "c%20d", "o%2Fp"), (conf / "wide.ring.gz", "AUTH_a", "c"),
                      (conf / "object.ring.gz", "AUTH_a", "c"), (conf / "container.ring.gz", "AUTH_a")):
            with self.subTest(words=words):
                self.assertIn("ssh ", self.same("get-nodes", *here, *words))
        for words in ((), ("AUTH_a",), (conf / "none.ring.gz", "a"), (silver,), (silver, "a", "b", "c", "d"),
                      ("-P", "gold", "a"), (silver, "-p", "x")):
            with self.subTest(words=words):
                self.refused("get-nodes", *here, *words)
        self.assertIn("partitions 0 to 255", run_apus("get-nodes", silver, "-p", "256").stderr)
        self.refused("get-nodes", "--alll", status=2)

    def test_object_info(self):
        files = self.swift.files
        here = ("-d", self.swift.conf)
        for name in ("plain", "policy", "damaged", "crypto", "tombstone"):
            for words in ((), ("-n",), ("--drop-prefixes",), ("-P", "silver"), ("-P", "Policy-0")):
                with self.subTest(name=name, words=words):
                    text = self.same("object-info", *here, *words, files[name])
                    self.assertIn(f"/AUTH_a/c/{name}", text)
        self.assertIn("doesn't match file hash", self.same("object-info", *here, files["damaged"]))
        self.assertIn("Path: Not found", self.same("object-info", *here, files["nameless"]))
        self.same("object-info", *here, files["plain"] + "x")
        for words in ((), ("a", "b")):
            debian, apus = self.both("object-info", *words)
            self.assertEqual((debian.returncode, apus.returncode), (0, 0 if not words else 2))
            self.assertIn("FILE", apus.stdout + apus.stderr)

    def test_account_info(self):
        here = ("-d", self.swift.conf)
        text = self.same("account-info", *here, self.swift.files["account"])
        self.assertIn("Container Count: 1", text)  # the pending row was read
        self.same("account-info", *here, "--drop-prefixes", self.swift.files["account"])
        self.assertIn("Deleted: True", self.same("account-info", *here, self.swift.files["gone"]))
        self.same("account-info", *here, "/nowhere.db")
        self.same("account-info", *here, self.swift.files["container"])  # not one of an account

    def test_container_info(self):
        here = ("-d", self.swift.conf)
        self.assertIn("silver (1)", self.same("container-info", *here, self.swift.files["container"]))
        self.same("container-info", *here, "--drop-prefixes", self.swift.files["container"])
        self.assertIn("Unknown (7)", self.same("container-info", *here, self.swift.files["split"]))
        self.assertIn("Meta Timestamp", self.same("container-info", *here, "-v", self.swift.files["split"]))
        self.same("container-info", *here, self.swift.files["account"])

    def test_config(self):
        (self.swift.conf / "odd.conf").write_text(
            "[DEFAULT]\nuser = swift\nBig = 1%\nhome = /srv/%(user)s\n[pipeline:main]\npipeline = a b proxy-server\n"
            "[filter:a]\nuse = egg:swift#catch_errors\nset user = other\nwhere = %(home)s/x\n  y\n"
            "[filter:b]\nuse = egg:swift#healthcheck\ndisable_path = %(home)s/down\n[app:proxy-server]\nuse = egg:swift#proxy\nUPPER = Case\n")
        proxy = self.swift.conf / "proxy-server.conf"
        odd = self.swift.conf / "odd.conf"
        for words in ((proxy,), (odd,), (odd, proxy), ("-s", "filter:b", odd), ("-s", "nothing", odd), ("proxy",), ("object-server", "-c", "1"),
                      ("container-reconciler",), ("object-updater", "-c", "7"), ("nosuch",), (self.swift.conf / "object-server.conf",)):
            with self.subTest(words=words):
                self.same("config", *words)
        by_section = lambda text: sorted("\n".join(sorted(section.splitlines())) for section in text.split("\n\n"))
        for words in (("-w", proxy), ("-w", odd), ("-w", "-s", "filter:a", odd)):
            with self.subTest(words=words):
                self.same("config", *words, mask=by_section)
        self.refused("config")

    def test_form_signature(self):
        path = "/v1/AUTH_a/c/prefix_"
        words = (path, "https://x/?a=1", "123", "2", "600", "k\u00e9y")
        debian, apus = self.both("form-signature", *words)
        calm = lambda text: re.sub(r"\b\d{10}\b|\b[0-9a-f]{40}\b", "N", text)
        self.assertEqual(calm(apus.stdout), calm(debian.stdout))
        self.assertEqual((apus.returncode, debian.returncode), (0, 0))
        expires = re.search(r"Expires: (\d+)", apus.stdout).group(1)
        signed = hmac.new(words[5].encode(), f"{path}\n{words[1]}\n123\n2\n{expires}".encode(), "sha1").hexdigest()
        self.assertIn(f"Signature: {signed}\n", apus.stdout)
        self.same("form-signature", path, "", "0", "1", "600", "k", mask=calm)
        for number, wrong in ((0, "/v2/a/c"), (0, "/v1/a"), (0, "v1/a/c"), (2, "-1"), (2, "x"), (3, "0"), (4, "x"), (4, "-9999999999")):
            with self.subTest(wrong=wrong):
                self.refused("form-signature", *words[:number], wrong, *words[number + 1:])
        self.refused("form-signature", path)
        self.refused("form-signature", *words, "more")

    def test_a_look_changes_nothing(self):
        before = pathlib.Path(self.swift.files["split"]).read_bytes()
        run_apus("container-info", "-d", self.swift.conf, self.swift.files["split"])
        self.assertEqual(before, pathlib.Path(self.swift.files["split"]).read_bytes())


if __name__ == "__main__":
    unittest.main()
