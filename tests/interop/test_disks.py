"""Debian's Swift opens what Apus wrote: databases with its brokers, objects with its metadata reader."""

import glob
import hashlib
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

try:
    from swift.account.backend import AccountBroker
    from swift.container.backend import ContainerBroker
    from swift.obj.diskfile import read_metadata
except ImportError:
    ContainerBroker = None


@unittest.skipIf(ContainerBroker is None, "Debian's python3-swift is not installed")
class Disks(unittest.TestCase):
    def test_swift_reads_them(self):
        with ApusUp() as store:
            client = Client(store.port).authenticate(ApusUp.USER, ApusUp.KEY)
            container = client.account + "/c"
            client.request("PUT", container, headers={"X-Container-Meta-A": "b"})
            snow = {"X-Object-Meta-Snow": "☃".encode().decode("latin-1")}
            for name in ("gone", "été", "a/b"):
                self.assertEqual(client.request("PUT", f"{container}/{name}", b"hello", snow).status, 201)
            client.request("DELETE", f"{container}/gone")
            client.request("POST", f"{container}/a/b", headers={"X-Object-Meta-X": "y", "Content-Type": "t/x"})
            self.databases(store.data)
            self.objects(store.data)

    def databases(self, data):
        [path] = glob.glob(f"{data}/devices/*/containers/*/*/*/*.db")
        broker = ContainerBroker(path)
        info = broker.get_info()
        self.assertEqual((info["account"], info["container"], info["object_count"], info["bytes_used"]),
                         ("AUTH_test", "c", 2, 10))
        self.assertEqual(broker.metadata["X-Container-Meta-A"][0], "b")
        rows = broker.list_objects_iter(10, "", "", "", "")
        etag = hashlib.md5(b"hello").hexdigest()
        self.assertEqual([(row[0], row[2], row[3], row[4]) for row in rows],
                         [("a/b", 5, "t/x", etag), ("été", 5, "application/octet-stream", etag)])
        [path] = glob.glob(f"{data}/devices/*/accounts/*/*/*/*.db")
        self.assertEqual(AccountBroker(path).get_info()["container_count"], 1)

    def objects(self, data):
        found = {}
        for path in glob.glob(f"{data}/devices/*/objects/*/*/*/*"):
            metadata = read_metadata(path)
            found[metadata["name"], path.rsplit(".", 1)[1]] = metadata
        self.assertEqual(set(found), {("/AUTH_test/c/gone", "ts"), ("/AUTH_test/c/été", "data"),
                                      ("/AUTH_test/c/a/b", "data"), ("/AUTH_test/c/a/b", "meta")})
        self.assertEqual(found["/AUTH_test/c/été", "data"]["X-Object-Meta-Snow"].encode("latin-1").decode(), "☃")
        self.assertEqual(found["/AUTH_test/c/a/b", "meta"]["Content-Type"], "t/x")


if __name__ == "__main__":
    unittest.main(verbosity=2)
