"""`apus up` runs the daemons its confs name: an account learns what its containers hold."""

import pathlib
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import APUS, ApusUp  # noqa: E402


class Totals(unittest.TestCase):
    def totals(self, client):
        head = client.request("HEAD", client.account)
        return tuple(head.headers[f"X-Account-{name}"] for name in ("Container-Count", "Object-Count", "Bytes-Used"))

    def await_totals(self, client, wanted):
        end = time.monotonic() + 60
        while self.totals(client) != wanted and time.monotonic() < end:
            time.sleep(0.2)
        self.assertEqual(self.totals(client), wanted)

    def test_accounts_are_told(self):
        with ApusUp() as apus:
            apus.stop()
            conf = apus.data / "etc" / "container-server.conf"
            text = conf.read_text()
            self.assertIn("[container-updater]", text)
            conf.write_text(re.sub(r"(?m)^interval = \d+$", "interval = 1", text))
            apus.start()
            client = Client(apus.port).authenticate(apus.USER, apus.KEY)
            self.addCleanup(client.close)
            for container in ("c", "d"):
                client.request("PUT", f"{client.account}/{container}")
            for name, body in (("c/a", b"12345"), ("c/b", b"678"), ("d/a", b"9")):
                self.assertEqual(client.request("PUT", f"{client.account}/{name}", body).status, 201)
            self.await_totals(client, ("2", "3", "9"))
            client.request("DELETE", f"{client.account}/c/a")
            self.await_totals(client, ("2", "2", "4"))

    def test_a_wrong_section_does_not_start(self):
        with ApusUp() as apus:
            apus.stop()
            conf = apus.data / "etc" / "container-server.conf"
            conf.write_text(re.sub(r"(?m)^interval = \d+$", "interval = soon", conf.read_text()))
            done = subprocess.run([str(APUS), "up", "--data", str(apus.data)], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, r"container-server\.conf:\d+: \[container-updater\] interval: ")


if __name__ == "__main__":
    unittest.main()
