"""Account reapers, Debian's and Apus's, over the servers of both kinds."""

import glob
import hashlib
import pathlib
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_swift import MixedSwift, partition_of, timestamp  # noqa: E402

SIDES = ("account", "container", "object")
CONTAINERS = ("c", "d ü", "empty", "silver")


class Cluster(MixedSwift):
    def __init__(self, apus_kinds):
        super().__init__(apus_kinds=apus_kinds, only=SIDES, devices=2, replicas=2, memcache="127.0.0.1:1",
                         log_level="INFO")

    def write(self):
        super().write()
        shutil.copy(self.conf / "object.ring.gz", self.conf / "object-1.ring.gz")

    def ask(self, kind, method, path, body=None, **headers):
        """The same of the servers on both devices."""
        client = Client(self.ports[kind])
        for device in ("d1", "d2"):
            answer = client.request(method, f"/{device}/{partition_of(path)}{path}", body,
                                    {"X-Timestamp": timestamp(), **headers})
            if answer.status // 100 != 2:
                raise RuntimeError(f"{method} {path}: {answer}")
        client.close()

    def told(self, kind, name, path):
        """Headers by which a server tells the ones above it."""
        return {f"X-{name}-Host": f"127.0.0.1:{self.ports[kind]}", f"X-{name}-Device": "d1",
                f"X-{name}-Partition": str(partition_of(path))}

    def fill(self, account):
        path = f"/{account}"
        self.ask("account", "PUT", path)
        for name in CONTAINERS:
            policy = {"X-Backend-Storage-Policy-Index": "1" if name == "silver" else "0"}
            container = f"{path}/{name}"
            both = {key: f"{value},{value.replace('d1', 'd2')}" if "Partition" not in key else value
                    for key, value in self.told("account", "Account", path).items()}
            self.ask("container", "PUT", container, **both, **policy)
            for number in range(0 if name == "empty" else 3):
                both = {key: f"{value},{value.replace('d1', 'd2')}" if "Partition" not in key else value
                        for key, value in self.told("container", "Container", container).items()}
                self.ask("object", "PUT", f"{container}/o {number} ☃", b"some bytes",
                         **{"Content-Type": "text/plain"}, **both, **policy)

    def rows(self, kind, path, table):
        """Names of a database's rows, and whether each is deleted, on both devices."""
        digest = hashlib.md5(b"oracle" + path.encode() + b"oracle").hexdigest()
        client = Client(self.ports[kind])  # a look takes in what is pending
        out = []
        for device in ("d1", "d2"):
            client.request("GET", f"/{device}/{partition_of(path)}{path}")
            [file] = glob.glob(f"{self.devices_root}/{device}/{kind}s/*/*/{digest}/*.db")
            database = sqlite3.connect(file)
            out.append(sorted(database.execute(f"SELECT name, deleted FROM {table}")))
            database.close()
        client.close()
        return out

    def state(self, account):
        """What is on the disks, without moments."""
        kinds = sorted("/".join((*path.parts[-6:-4], path.parts[-2], path.suffix))
                       for path in pathlib.Path(self.devices_root).glob("*/objects*/*/*/*/*"))
        return {"files": kinds, "account": self.rows("account", f"/{account}", "container"),
                **{name: self.rows("container", f"/{account}/{name}", "object") for name in CONTAINERS}}


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Reapers(unittest.TestCase):
    def reaped(self, apus_kinds, who):
        with Cluster(apus_kinds) as store:
            run = store.run_apus_daemon if who == "apus" else store.run_daemon
            for account in ("AUTH_gone", "AUTH_stays"):
                store.fill(account)
            before = store.state("AUTH_stays")
            store.ask("account", "DELETE", "/AUTH_gone")
            options = {"conn_timeout": 10, "node_timeout": 60}
            said = run("account", "account-reaper", delay_reaping=3600, **options)
            self.assertNotIn("Beginning pass", said)
            said = run("account", "account-reaper", **options)
            self.assertIn("Completed pass on account AUTH_gone, ", said)
            self.assertNotIn("AUTH_stays", said)
            self.assertNotIn("remaining", said)
            after = store.state("AUTH_gone")
            self.assertEqual([{deleted for _, deleted in rows} for rows in after["account"]], [{1}, {1}], said)
            self.assertEqual({key: value for key, value in store.state("AUTH_stays").items() if key != "files"},
                             {key: value for key, value in before.items() if key != "files"})
            self.assertEqual(run("account", "account-reaper", **options).count("Beginning pass"), 0)
            for text in (said, *(store.children[kind].output() for kind in SIDES)):
                self.assertNotIn("Traceback", text)
                self.assertNotIn("ERROR", text)
            return after

    def test_every_pair_of_sides(self):
        self.maxDiff = None
        expected = self.reaped((), "debian")
        self.assertTrue(any("objects-1" in file for file in expected["files"]))
        for apus_kinds, who in (((), "apus"), (SIDES, "debian")):
            with self.subTest(apus=apus_kinds, reaper=who):
                self.assertEqual(self.reaped(apus_kinds, who), expected)


if __name__ == "__main__":
    unittest.main(verbosity=2)
