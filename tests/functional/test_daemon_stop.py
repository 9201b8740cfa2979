"""A daemon that waits for a server that says nothing ends all the same when it is told to."""

import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.processes import APUS, Child  # noqa: E402


class DaemonStop(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="apus-stop-")))
        self.server = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.server.settimeout(20)
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = a-suffix-of-this-test\n")
        port = self.server.getsockname()[1]
        for name in ("account", "container", "object"):
            for words in (("create", 4, 1, 1), ("add", f"r1z1-127.0.0.1:{port}/d1", 1), ("rebalance",)):
                done = subprocess.run([APUS, "ring", self.folder / f"{name}.builder", *map(str, words)],
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done)

    def test_within_fifteen_seconds_of_term(self):
        conf = self.folder / "container-reconciler.conf"
        conf.write_text(f"[DEFAULT]\nswift_dir = {self.folder}\n[container-reconciler]\nlog_to = stderr\n"
                        f"recon_cache_path = {self.folder}\n"
                        "[pipeline:main]\npipeline = proxy-server\n[app:proxy-server]\nuse = egg:swift#proxy\n"
                        "node_timeout = 300\nrecoverable_node_timeout = 300\n")
        child = Child([APUS, "container-reconciler", conf], self.folder / "log")
        self.addCleanup(child.kill)
        silent, _ = self.server.accept()
        with silent:
            self.assertTrue(silent.recv(1000).startswith(b"GET "))
            begin = time.monotonic()
            child.process.send_signal(signal.SIGTERM)
            child.process.wait(15)
        self.assertGreater(time.monotonic() - begin, 5, child.output())  # it had time to end its step


if __name__ == "__main__":
    unittest.main(verbosity=2)
