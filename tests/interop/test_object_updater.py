"""Object updaters, Debian's and Apus's: updates that either kind of object server queued, told to either kind of
container server."""

import glob
import hashlib
import os
import pathlib
import pickle
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_swift import MixedSwift, partition_of  # noqa: E402

CONTAINER = "/AUTH_a/c ü"
SHARDS = ".shards_AUTH_a"


def when(number):
    return f"17000000{number:02d}.00000"


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Updaters(unittest.TestCase):
    def start(self, apus_kinds):
        store = self.enterContext(MixedSwift(apus_kinds=apus_kinds, only=("object", "container"), devices=2, replicas=2,
                                             memcache="127.0.0.1:1", log_level="INFO"))
        self.make_container(store, CONTAINER)
        return store

    def make_container(self, store, path):
        client = Client(store.ports["container"])
        for device in ("d1", "d2"):
            answer = client.request("PUT", f"/{device}/{partition_of(path)}{path}", headers={"X-Timestamp": when(0)})
            self.assertEqual(answer.status, 201, answer)
        client.close()

    def queue(self, store):
        """Writes and deletes objects while the container server is away."""
        store.children.pop("container").stop()
        client = Client(store.ports["object"])
        place = f"127.0.0.1:{store.ports['container']}"

        def ask(method, name, number, body=None, **headers):
            path = f"/d1/{partition_of(f'{CONTAINER}/{name}')}{CONTAINER}/{name}"
            answer = client.request(method, path, body, {
                "X-Timestamp": when(number), "X-Container-Host": f"{place},{place}", "X-Container-Device": "d1,d2",
                "X-Container-Partition": str(partition_of(CONTAINER)), **headers})
            self.assertEqual(answer.status // 100, 2, f"{method} {path}: {answer}")
        kind = {"Content-Type": "text/plain;name=é".encode().decode("latin-1")}
        for number, name in enumerate(("one", "zwei ☃", "three/3", "posted", "gone", "replaced"), 1):
            ask("PUT", name, number, name.encode(), **kind)
        ask("POST", "posted", 20, **{"Content-Type": "image/png"})
        ask("DELETE", "gone", 21)
        ask("PUT", "replaced", 22, b"longer than it was", **kind)
        client.close()
        self.assertNotEqual(self.waiting(store), [])
        store.start(("container",))

    def waiting(self, store):
        return sorted(glob.glob(f"{store.devices_root}/d*/async_pending*/*/*"))

    def rows(self, store, device="d1", path=CONTAINER):
        """All rows of a container's database, those of deleted objects too."""
        digest = hashlib.md5(b"oracle" + path.encode() + b"oracle").hexdigest()
        [file] = glob.glob(f"{store.devices_root}/{device}/containers/*/*/{digest}/*.db")
        client = Client(store.ports["container"])  # a listing takes in what is pending
        client.request("GET", f"/{device}/{partition_of(path)}{path}")
        client.close()
        database = sqlite3.connect(file)
        try:
            return sorted(database.execute("SELECT name, created_at, size, content_type, etag, deleted, "
                                           "storage_policy_index FROM object"))
        finally:
            database.close()

    def check_logs(self, store, said):
        for text in (said, *(store.children[kind].output() for kind in ("object", "container"))):
            self.assertNotIn("Traceback", text)
            self.assertNotIn("ERROR", text.replace("ERROR Container update failed (saving for async update later)", "")
                             .replace("ERROR container update failed with", ""))

    def run_as(self, store, who, **options):
        options = {"objects_per_second": 0, "conn_timeout": 10, "node_timeout": 60, **options}
        return (store.run_apus_daemon if who == "apus" else store.run_daemon)("object", "object-updater", **options)

    def told(self, apus_kinds, who):
        store = self.start(apus_kinds)
        self.queue(store)
        said = self.run_as(store, who)
        self.assertEqual(self.waiting(store), [], said)
        self.assertEqual(glob.glob(f"{store.devices_root}/d*/async_pending*/*"), [])
        self.assertEqual(glob.glob(f"{store.devices_root}/d*/tmp/*"), [])
        rows = self.rows(store)
        self.assertEqual(self.rows(store, "d2"), rows)
        self.check_logs(store, said)
        self.assertIn("object_updater_sweep", (store.folder / "recon" / "object.recon").read_text())
        store.close()
        return rows

    def test_every_pair_of_sides(self):
        expected = self.told((), "debian")
        self.assertEqual([row[0] for row in expected], ["gone", "one", "posted", "replaced", "three/3", "zwei ☃"])
        for apus_kinds, who in (((), "apus"), (("container",), "apus"), (("object", "container"), "debian")):
            with self.subTest(apus=apus_kinds, updater=who):
                self.assertEqual(self.told(apus_kinds, who), expected)

    def test_each_goes_on_with_what_the_other_noted(self):
        for first, second in (("debian", "apus"), ("apus", "debian")):
            with self.subTest(first=first):
                store = self.start(())
                self.queue(store)
                away = pathlib.Path(store.devices_root) / "d2"
                away.rename(away.with_name("away"))
                names = self.names_after(store, first)
                self.assertNotEqual(names, [])
                for path in self.waiting(store):
                    self.assertEqual(self.load(store, path)["successes"], [0])
                self.rows(store)  # takes in what is pending
                client = Client(store.ports["container"])
                path = f"/d1/{partition_of(CONTAINER)}{CONTAINER}"
                before = client.request("HEAD", path).headers["X-Container-Object-Count"]
                self.assertEqual(before, "5")
                client.close()
                away.with_name("away").rename(away)
                said = self.run_as(store, second)
                self.assertEqual(self.waiting(store), [], said)
                self.assertEqual(self.rows(store, "d2"), self.rows(store))
                store.close()

    def names_after(self, store, who):
        said = self.run_as(store, who)
        self.assertNotIn("Traceback", said)
        return self.waiting(store)

    def load(self, store, path):
        """As Debian's updater reads it."""
        update = pickle.loads(pathlib.Path(path).read_bytes())
        return {**update, "headers": dict(update["headers"])}

    def test_sharded_containers_send_on(self):
        for apus_kinds, who in (((), "apus"), (("container", "object"), "debian")):
            with self.subTest(apus=apus_kinds, updater=who):
                store = self.start(apus_kinds)
                shard = f"/{SHARDS}/c ü-1"
                self.make_container(store, shard)
                self.queue(store)
                # Objects up to "p" are the shard's.
                client = Client(store.ports["container"])
                ranges = ('[{"name": "%s", "timestamp": "%s", "lower": "", "upper": "p", "state": "active", '
                          '"object_count": 0, "bytes_used": 0, "meta_timestamp": "%s", "state_timestamp": "%s", '
                          '"deleted": 0, "epoch": null, "reported": 0}]'
                          % (shard[1:].replace("ü", "\\u00fc"), when(1), when(1), when(1)))
                for device in ("d1", "d2"):
                    answer = client.request("PUT", f"/{device}/{partition_of(CONTAINER)}{CONTAINER}", ranges,
                                            {"X-Timestamp": when(1), "X-Backend-Record-Type": "shard"})
                    self.assertEqual(answer.status // 100, 2, answer)
                client.close()
                said = self.run_as(store, who)
                self.assertEqual(self.waiting(store), [], said)
                self.check_logs(store, said)
                for device in ("d1", "d2"):
                    self.assertEqual([row[0] for row in self.rows(store, device, shard)], ["gone", "one"])
                    self.assertEqual([row[0] for row in self.rows(store, device)],
                                     ["posted", "replaced", "three/3", "zwei ☃"])
                store.close()

    def test_what_is_no_update_is_put_aside_alike(self):
        found = []
        for who in ("debian", "apus"):
            store = self.start(())
            self.queue(store)
            victims = self.waiting(store)[:2]
            pathlib.Path(victims[0]).write_bytes(b"no pickle")
            # Outdated by the one that is there.
            name = os.path.basename(victims[1])
            pathlib.Path(victims[1]).with_name(name.split("-")[0] + "-1600000000.00000").write_bytes(b"")
            said = self.run_as(store, who)
            self.assertEqual(self.waiting(store), [], said)
            found.append(sorted(os.path.relpath(path, store.devices_root)
                                for path in glob.glob(f"{store.devices_root}/*/quarantined/*/*")))
            self.assertEqual([os.path.basename(path) for path in found[-1]], [os.path.basename(victims[0])])
            store.close()
        self.assertEqual(found[0], found[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
