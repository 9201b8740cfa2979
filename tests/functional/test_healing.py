"""A store of three copies on three devices in one process: what is lost on one of them comes back by itself."""

import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import ApusUp, wait_until  # noqa: E402

SECTION = "\n[object-replicator]\nsync_method = ssync\ninterval = 1\n"


def files_in(device):
    """Paths to bytes; nothing while folders come and go under the look."""
    try:
        return {str(path.relative_to(device)): path.read_bytes() for path in device.glob("*/*/*/*") if path.is_file()}
    except FileNotFoundError:
        return {}


def empty_it(device):
    """While a server and a replicator work on it."""
    aside = device.with_name("lost")
    device.rename(aside)
    shutil.rmtree(aside)


class Healing(unittest.TestCase):
    def test_objects_come_back_to_an_empty_device(self):
        with ApusUp("--devices", "3", "--replicas", "3") as store:
            store.stop()
            conf = store.data / "etc" / "object-server.conf"
            conf.write_text(conf.read_text() + SECTION)
            store.start()
            client = Client(store.port).authenticate(ApusUp.USER, ApusUp.KEY)
            container = client.account + "/c"
            self.assertEqual(client.request("PUT", container).status, 201)
            for number in range(20):
                self.assertEqual(client.request("PUT", f"{container}/o{number}", b"x" * 1000 * number).status, 201)
            self.assertEqual(client.request("DELETE", f"{container}/o7").status, 204)
            client.close()
            devices = [store.data / "devices" / f"d{number}" / "objects" for number in (1, 2, 3)]
            wait_until(lambda: all(len(files_in(device)) == 20 for device in devices), 60)
            whole = files_in(devices[0])
            self.assertEqual(sum(name.endswith(".ts") for name in whole), 1)
            empty_it(devices[2])
            wait_until(lambda: files_in(devices[2]) == whole, 120)
            self.assertEqual([files_in(device) for device in devices[:2]], [whole, whole])


if __name__ == "__main__":
    unittest.main(verbosity=2)
