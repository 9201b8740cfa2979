"""Object expirers, Debian's and Apus's, over queues that servers of both kinds wrote."""

import glob
import hashlib
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_swift import MixedSwift, partition_of  # noqa: E402
from harness.processes import APUS  # noqa: E402

SIDES = ("account", "container", "object")
QUEUE = "/.expiring_objects"
OLD = 1700000000  # past every reclaim age
YOUNG = int(time.time()) // 1000 * 1000 - 5000
LATER = YOUNG + 200000
DIVISION = 86400


def moment(seconds):
    return f"{seconds:010d}.00000"


class Cluster(MixedSwift):
    def __init__(self, apus_kinds):
        super().__init__(apus_kinds=apus_kinds, only=SIDES, memcache="127.0.0.1:1", log_level="INFO")

    def write(self):
        super().write()
        shutil.copy(self.conf / "object.ring.gz", self.conf / "object-1.ring.gz")

    def put(self, name, when, delete_at, container="/AUTH_a/c", **more):
        """An object that is to go at `delete_at`, as a proxy tells the object server."""
        queue = f"{delete_at // DIVISION * DIVISION:010d}"
        host = f"127.0.0.1:{self.ports['container']}"
        self.object("PUT", f"{container}/{name}", b"some bytes", X_Timestamp=moment(when), Content_Type="text/plain",
                    X_Container_Host=host, X_Container_Device="d1", X_Container_Partition=str(partition_of(container)),
                    X_Delete_At=str(delete_at), X_Delete_At_Container=queue, X_Delete_At_Host=host,
                    X_Delete_At_Device="d1", X_Delete_At_Partition=str(partition_of(f"{QUEUE}/{queue}")), **more)
        return queue

    def object(self, method, path, body=None, **headers):
        client = Client(self.ports["object"])
        answer = client.request(method, f"/d1/{partition_of(path)}{path}", body,
                                {name.replace("_", "-"): value for name, value in headers.items()})
        client.close()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {answer}")

    def task(self, queue, name, kind, when):
        """A row of the queue, written by hand."""
        client = Client(self.ports["container"])
        answer = client.request("PUT", f"/d1/{partition_of(f'{QUEUE}/{queue}')}{QUEUE}/{queue}/{name}", headers={
            "X-Timestamp": moment(when), "X-Size": "0", "X-Content-Type": kind,
            "X-Etag": "d41d8cd98f00b204e9800998ecf8427e", "X-Backend-Storage-Policy-Index": "0"})
        client.close()
        if answer.status != 201:
            raise RuntimeError(f"{queue}/{name}: {answer}")

    def expire(self, who, one_file=False, **options):
        """One pass of an expirer; what it said. `one_file` = object-expirer.conf, with its pipeline."""
        pipeline = ("[pipeline:main]\npipeline = catch_errors proxy-server\n[app:proxy-server]\nuse = egg:swift#proxy\n"
                    "conn_timeout = 10\nnode_timeout = 60\n[filter:catch_errors]\nuse = egg:swift#catch_errors\n")
        general = (f"[DEFAULT]\nswift_dir = {self.conf}\nuser = root\nlog_level = INFO\n"
                   f"recon_cache_path = {self.folder / 'recon'}\n")
        lines = "".join(f"{name} = {value}\n" for name, value in options.items())
        section = f"[object-expirer]\n{lines}"
        if one_file:
            conf = self.conf / "object-expirer.conf"
            conf.write_text(general + section + pipeline)
        else:
            conf = self.conf / "tasks.conf"
            (self.conf / "internal-client.conf").write_text(general + pipeline)
            conf.write_text(general + section + "dequeue_from_legacy = true\n"
                            f"internal_client_conf_path = {self.conf / 'internal-client.conf'}\n")
        if who == "apus":
            done = subprocess.run([APUS, "object-expirer", conf, "once", "-v"], text=True, timeout=60, capture_output=True)
        else:
            program = self.folder / "expirer.py"  # Debian has the script in a package of its own
            program.write_text("import sys\nfrom swift.common.daemon import run_daemon\n"
                               "from swift.obj.expirer import ObjectExpirer\n"
                               "run_daemon(ObjectExpirer, sys.argv[1], once=True, verbose=True)\n")
            done = self.run_program(program, conf)
        if done.returncode != 0:
            raise RuntimeError(f"{who}'s expirer ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def files(self):
        """Names of all object files, below their hash folders."""
        return sorted("/".join(pathlib.Path(path).parts[-2:])
                      for path in glob.glob(f"{self.devices_root}/d1/objects/*/*/*/*"))

    def rows(self, path):
        """Names of a container's rows, and whether each is deleted."""
        digest = hashlib.md5(b"oracle" + path.encode() + b"oracle").hexdigest()
        client = Client(self.ports["container"])  # a listing takes in what is pending
        client.request("GET", f"/d1/{partition_of(path)}{path}")
        client.close()
        [file] = glob.glob(f"{self.devices_root}/d1/containers/*/*/{digest}/*.db")
        database = sqlite3.connect(file)
        try:
            return sorted(database.execute("SELECT name, deleted FROM object"))
        finally:
            database.close()

    def account(self):
        """Names of the queue's containers, as their account knows them."""
        client = Client(self.ports["account"])
        answer = client.request("GET", f"/d1/{partition_of(QUEUE)}{QUEUE}")
        client.close()
        return answer.body.decode().split()


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Expirers(unittest.TestCase):
    def start(self, apus_kinds):
        store = self.enterContext(Cluster(apus_kinds))
        client = Client(store.ports["account"])
        path = f"/d1/{partition_of('/AUTH_a')}/AUTH_a"
        self.assertEqual(client.request("PUT", path, headers={"X-Timestamp": moment(OLD)}).status, 201)
        client.close()
        client = Client(store.ports["container"])
        for name in ("c", "d ü"):
            path = f"/AUTH_a/{name}"
            answer = client.request("PUT", f"/d1/{partition_of(path)}{path}", headers={"X-Timestamp": moment(OLD)})
            self.assertEqual(answer.status, 201)
        client.close()
        return store

    def fill(self, store):
        """Tasks of every kind; names of the queue's containers."""
        queues = {store.put(f"old {number} ☃", OLD + number, OLD + 100 + number) for number in range(3)}
        queues.add(store.put("other", OLD, OLD + 200, container="/AUTH_a/d ü"))
        queues.add(store.put("young", YOUNG, YOUNG + 100))
        queues.add(store.put("to stay", OLD, LATER))
        old, young = f"{OLD // DIVISION * DIVISION:010d}", f"{YOUNG // DIVISION * DIVISION:010d}"
        # Moved on to a later moment; never there; deleted by hand; not to be asked when.
        store.task(old, f"{OLD + 300}-AUTH_a/c/to stay", "text/plain", OLD)
        store.task(old, f"{OLD + 300}-AUTH_a/c/never", "text/plain", OLD)
        store.task(young, f"{YOUNG + 300}-AUTH_a/c/to stay", "text/plain", OLD)
        store.task(young, f"{YOUNG + 300}-AUTH_a/c/never", "text/plain", OLD)
        store.object("PUT", "/AUTH_a/c/async", b"x", X_Timestamp=moment(OLD), Content_Type="text/plain")
        store.task(young, f"{YOUNG + 10}-AUTH_a/c/async", "application/async-deleted", OLD)
        store.task(young, f"{YOUNG + 10}-AUTH_a/c/async never", "application/async-deleted", OLD)
        store.run_daemon("container", "container-updater")
        self.assertEqual(store.account(), sorted({*queues, old, young}))
        return sorted({*queues, old, young})

    def state(self, store, queues):
        return {"files": store.files(), "account": store.account(), "c": store.rows("/AUTH_a/c"),
                "d": store.rows("/AUTH_a/d ü"), **{queue: store.rows(f"{QUEUE}/{queue}") for queue in queues}}

    def expired(self, apus_kinds, who, one_file=False):
        store = self.start(apus_kinds)
        queues = self.fill(store)
        said = store.expire(who, one_file, tasks_per_second=0, concurrency=4)
        self.assertIn("Pass completed in", said)
        self.assertIn("; 9 objects expired", said, said)
        # The young ones whose object is elsewhere in time are tried again, all else is well.
        self.assertEqual(said.count("Unexpected response while deleting object"), 2, said)
        self.assertNotIn("Traceback", said)
        recon = json.loads((store.folder / "recon" / "object.recon").read_text())
        self.assertEqual(recon["expired_last_pass"], 9)
        self.assertIn("object_expiration_pass", recon)
        after_one = self.state(store, queues)
        said = store.expire(who, one_file)  # empty containers go
        self.assertIn("; 0 objects expired", said)
        for kind in SIDES:
            self.assertNotIn("Traceback", store.children[kind].output())
        out = (after_one, self.state(store, queues))
        store.close()
        return out

    def test_every_pair_of_sides(self):
        self.maxDiff = None
        expected = self.expired((), "debian")
        self.assertEqual([row for row in expected[0]["c"] if not row[1]], [("to stay", 0)])
        self.assertEqual(len(expected[1]["account"]), len(expected[0]["account"]) - 1)
        for apus_kinds, who, one_file in (((), "apus", False), (SIDES, "debian", False),
                                          (("object", "account"), "apus", True)):
            with self.subTest(apus=apus_kinds, expirer=who):
                self.assertEqual(self.expired(apus_kinds, who, one_file), expected)

    def test_expirers_of_both_sides_share_a_queue(self):
        store = self.start(())
        for number in range(12):
            store.put(f"o{number}", OLD, OLD + 100 + number)
        store.run_daemon("container", "container-updater")
        counts = []
        for process, who in enumerate(("debian", "apus")):
            said = store.expire(who, processes=2, process=process)
            counts.append(int(said.rsplit(" objects expired", 1)[0].rsplit(" ", 1)[1]))
        self.assertEqual(sum(counts), 12)
        self.assertTrue(all(path.endswith(".ts") for path in store.files()), store.files())
        self.assertEqual({deleted for _, deleted in store.rows("/AUTH_a/c")}, {1})

    def test_what_expired_is_kept_for_the_delay(self):
        store = self.start(())
        now = int(time.time())
        store.put("kept", now - 1000, now - 500)
        store.put("gone", now - 1000, now - 500, container="/AUTH_a/d ü")
        store.run_daemon("container", "container-updater")
        said = store.expire("apus", **{"delay_reaping_AUTH_a": 100000, "delay_reaping_AUTH_a/d ü": 10})
        self.assertIn("; 1 objects expired", said)
        self.assertEqual(store.rows("/AUTH_a/c"), [("kept", 0)])
        self.assertEqual(store.rows("/AUTH_a/d ü"), [("gone", 1)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
