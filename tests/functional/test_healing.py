"""A store of three copies on three devices in one process: what is lost on one of them comes back by itself."""

import pathlib
import re
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import ApusUp, wait_until  # noqa: E402


def objects_in(device):
    """Paths to bytes; nothing while folders come and go under the look."""
    try:
        return {str(path.relative_to(device)): path.read_bytes()
                for path in device.glob("objects/*/*/*/*") if path.is_file()}
    except FileNotFoundError:
        return {}


def rows_in(device):
    """Paths of databases to the live names in them; nothing while one is put in its place."""
    out = {}
    try:
        for kind, table in (("accounts", "container"), ("containers", "object")):
            for path in device.glob(f"{kind}/*/*/*/*.db"):
                database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
                try:
                    rows = database.execute(f"SELECT name FROM {table} WHERE deleted = 0 ORDER BY name").fetchall()
                finally:
                    database.close()
                out[str(path.relative_to(device))] = rows
    except sqlite3.Error:
        return {}
    return out


class Healing(unittest.TestCase):
    def test_objects_and_databases_come_back_to_an_empty_device(self):
        with ApusUp("--devices", "3", "--replicas", "3") as store:
            store.stop()
            for conf in (store.data / "etc").glob("*-server.conf"):
                conf.write_text(re.sub(r"(?m)^interval = \d+$", "interval = 1", conf.read_text()))
            store.start()
            client = Client(store.port).authenticate(ApusUp.USER, ApusUp.KEY)
            container = client.account + "/c"
            self.assertEqual(client.request("PUT", container).status, 201)
            for number in range(20):
                self.assertEqual(client.request("PUT", f"{container}/o{number}", b"x" * 1000 * number).status, 201)
            self.assertEqual(client.request("DELETE", f"{container}/o7").status, 204)
            client.close()
            devices = [store.data / "devices" / f"d{number}" for number in (1, 2, 3)]
            wait_until(lambda: all(len(objects_in(device)) == 20 for device in devices), 60)
            wait_until(lambda: all(sorted(map(len, rows_in(device).values())) == [1, 19] for device in devices), 60)
            objects, rows = objects_in(devices[0]), rows_in(devices[0])
            self.assertEqual(sum(name.endswith(".ts") for name in objects), 1)
            store.empty_device(3)
            wait_until(lambda: objects_in(devices[2]) == objects and rows_in(devices[2]) == rows, 120)
            self.assertEqual([objects_in(device) for device in devices[:2]], [objects, objects])
            self.assertEqual([rows_in(device) for device in devices[:2]], [rows, rows])


if __name__ == "__main__":
    unittest.main(verbosity=2)
