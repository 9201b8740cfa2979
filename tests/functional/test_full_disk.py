"""A disk without room, as `apus up` on one device meets it: writes are refused, everything else goes on.

The room that must stay free is the whole disk, which is what a full one looks like to the object server.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import processes  # noqa: E402
from harness.http import Client  # noqa: E402


class FullDisk(unittest.TestCase):
    def test_what_is_there_can_be_read_listed_and_deleted(self):
        with processes.ApusUp() as store:
            client = Client(store.port).authenticate(store.USER, store.KEY)
            container = f"{client.account}/c"
            self.assertEqual(client.request("PUT", container).status, 201)
            for name in ("kept", "gone"):
                self.assertEqual(client.request("PUT", f"{container}/{name}", b"body").status, 201)
            client.close()
            self.assertEqual(store.stop(), 0)
            conf = store.data / "etc" / "object-server.conf"
            text = conf.read_text().replace("[DEFAULT]\n", "[DEFAULT]\nfallocate_reserve = 100%\n", 1)
            self.assertIn("fallocate_reserve = 100%\n", text)
            conf.write_text(text)
            store.start()
            client = Client(store.port).authenticate(store.USER, store.KEY)
            self.assertEqual(client.request("PUT", f"{container}/new", b"body").status, 503)
            answer = client.request("GET", f"{container}/kept")
            self.assertEqual((answer.status, answer.body), (200, b"body"))
            self.assertEqual(client.request("DELETE", f"{container}/gone").status, 204)
            self.assertEqual(client.request("GET", container).body, b"kept\n")
            client.close()


if __name__ == "__main__":
    unittest.main()
