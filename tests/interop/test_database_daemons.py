"""Updaters and auditors, Debian's and Apus's, over databases and servers of both."""

import glob
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_swift import MixedSwift, partition_of  # noqa: E402

SIDES = ("account", "container")


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Daemons(unittest.TestCase):
    def fill(self, store):
        """An account, and three containers of which it does not know yet."""
        account, container = Client(store.ports["account"]), Client(store.ports["container"])
        path = f"/d1/{partition_of('/AUTH_a')}/AUTH_a"
        self.assertEqual(account.request("PUT", path, headers={"X-Timestamp": "1700000000.00000"}).status, 201)
        for name in ("one", "two", "drei ü"):
            place = f"/d1/{partition_of('/AUTH_a/' + name)}/AUTH_a/{name}"
            self.assertEqual(container.request("PUT", place, headers={"X-Timestamp": "1700000001.00000"}).status, 201)
            row = {"X-Timestamp": "1700000002.00000", "X-Size": "7", "X-Content-Type": "t/p", "X-Etag": "e"}
            self.assertEqual(container.request("PUT", place + "/o", headers=row).status, 201)
        container.close()
        return account, path

    def check(self, apus_servers, run):
        with MixedSwift(apus_kinds=apus_servers, only=SIDES) as store:
            account, path = self.fill(store)
            said = run(store)("container", "container-updater")
            self.assertEqual(account.request("GET", path).body.decode().split("\n"), ["drei ü", "one", "two", ""], said)
            head = account.request("HEAD", path).headers
            self.assertEqual((head["X-Account-Container-Count"], head["X-Account-Bytes-Used"]), ("3", "21"))
            account.close()
            # Nobody has anything left to say, or to find wrong.
            for kind, daemon in (("container", "container-updater"), ("container", "container-auditor"),
                                 ("account", "account-auditor")):
                for other in (store.run_daemon, store.run_apus_daemon):
                    said = other(kind, daemon)
                    self.assertNotIn("Traceback", said)
                    self.assertNotIn("ailed for", said)
            self.assertEqual(glob.glob(f"{store.devices_root}/*/quarantined/*/*"), [])
            self.tools(store)

    def tools(self, store):
        """Debian's info tools read every database."""
        for kind in SIDES:
            for path in glob.glob(f"{store.devices_root}/d1/{kind}s/*/*/*/*.db"):
                done = store.run_program(f"{kind}-info", "-d", store.conf, path)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("Account: AUTH_a", done.stdout)

    def test_swift_updates_apus(self):
        self.check(SIDES, lambda store: store.run_daemon)

    def test_apus_updates_swift(self):
        self.check((), lambda store: store.run_apus_daemon)

    def test_apus_updates_apus(self):
        self.check(SIDES, lambda store: store.run_apus_daemon)

    def test_damage_is_quarantined(self):
        with MixedSwift(apus_kinds=SIDES, only=SIDES) as store:
            account, path = self.fill(store)
            account.close()
            victims = [glob.glob(f"{store.devices_root}/d1/{kind}s/*/*/*/*.db")[0] for kind in SIDES]
            for victim in victims:
                pathlib.Path(victim).write_bytes(b"x" * 5000)
            for kind, victim in zip(SIDES, victims):
                store.run_apus_daemon(kind, f"{kind}-auditor")
                self.assertFalse(pathlib.Path(victim).exists())
                self.assertEqual(len(glob.glob(f"{store.devices_root}/d1/quarantined/{kind}s/*/*.db")), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
