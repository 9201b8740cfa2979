"""Debian's swift.common.manager starts, reloads and stops Apus under Swift's names."""

import contextlib
import http.client
import io
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.processes import APUS, BUILD, alive, free_port, wait_until  # noqa: E402

try:
    from swift.common import manager
except ImportError:
    manager = None

SERVERS = ("object", "container", "account", "proxy")


class ManagerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if manager is None:
            raise unittest.SkipTest("python3-swift is not installed")
        # Made once: the tool takes a second for each step.
        cls.rings = pathlib.Path(tempfile.mkdtemp(prefix="apus-manager-rings-"))
        cls.addClassCleanup(shutil.rmtree, cls.rings)
        cls.ports = {kind: free_port() for kind in SERVERS}
        for kind in ("account", "container", "object"):
            builder = str(cls.rings / f"{kind}.builder")
            for words in (["create", "4", "1", "1"],
                          ["add", f"r1z1-127.0.0.1:{cls.ports[kind]}/d1", "100"], ["rebalance"]):
                subprocess.run(["/usr/bin/swift-ring-builder", builder, *words], check=True,
                               stdout=subprocess.DEVNULL)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-manager-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.etc, self.run = self.folder / "etc", self.folder / "run"
        for name in ("etc", "run", "devices/d1", "recon", "log"):
            (self.folder / name).mkdir(parents=True)
        (self.etc / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = manager\n")
        for ring in self.rings.glob("*.ring.gz"):
            shutil.copy(ring, self.etc)
        for kind in SERVERS:
            self.write(kind)
        init = manager.Manager.__init__  # `reload` makes managers of its own, in the default run_dir
        self.saved = manager.SWIFT_DIR, os.environ["PATH"], init.__defaults__
        self.addCleanup(self.restore)
        manager.SWIFT_DIR = str(self.etc)
        init.__defaults__ = (str(self.run),)
        os.environ["PATH"] = f"{BUILD / 'bin'}:{os.environ['PATH']}"

    def restore(self):
        manager.SWIFT_DIR, os.environ["PATH"], manager.Manager.__init__.__defaults__ = self.saved
        for pid in self.pids().values():
            if alive(pid):
                os.kill(pid, signal.SIGTERM)
                wait_until(lambda: not alive(pid))

    def write(self, kind, more=""):
        (self.etc / f"{kind}-server.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self.ports[kind]}\nuser = root\n"
            f"swift_dir = {self.etc}\ndevices = {self.folder}/devices\nmount_check = no\n"
            f"log_to = file:{self.folder}/log/{kind}.log\n{more}"
            f"[pipeline:main]\npipeline = healthcheck {kind}-server\n"
            f"[filter:healthcheck]\nuse = egg:swift#healthcheck\ndisable_path = {self.folder}/off\n"
            f"[app:{kind}-server]\nuse = egg:swift#{kind}\n")

    def manage(self, command, *servers, **options):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = manager.Manager(servers or [f"{s}-server" for s in SERVERS],
                                     run_dir=str(self.run)).run_command(command, **options)
        return status, said.getvalue()

    def pids(self):
        return {path.stem: int(path.read_text()) for path in self.run.glob("*.pid")}

    def get(self, kind, path="/healthcheck"):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[kind], timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def log(self, kind):
        return (self.folder / "log" / f"{kind}.log").read_text()

    def test_start_and_stop_all(self):
        status, said = self.manage("start")
        self.assertEqual(status, 0, said)
        pids = self.pids()
        self.assertEqual(sorted(pids), [f"{kind}-server" for kind in sorted(SERVERS)])
        for kind in SERVERS:
            self.assertEqual(self.get(kind), (200, b"OK"))
            line = pathlib.Path(f"/proc/{pids[kind + '-server']}/cmdline").read_bytes()
            self.assertIn(f"swift-{kind}-server".encode(), line)
            for fd in (0, 1, 2):
                self.assertEqual(os.readlink(f"/proc/{pids[kind + '-server']}/fd/{fd}"), "/dev/null")
        self.assertEqual(self.manage("status")[0], 0)
        begin = time.monotonic()
        status, said = self.manage("stop")
        self.assertEqual(status, 0, said)
        self.assertLess(time.monotonic() - begin, 15)
        for kind in SERVERS:
            self.assertFalse(alive(pids[f"{kind}-server"]))
            with contextlib.closing(socket.socket()) as probe:
                self.assertNotEqual(probe.connect_ex(("127.0.0.1", self.ports[kind])), 0)

    def test_a_wrong_conf_does_not_start(self):
        self.write("object", "bind_timeout = soon\n")
        status, said = self.manage("start", "object-server")
        self.assertNotEqual(status, 0)
        self.assertIn("bind_timeout: 'soon' does not fit", said)

    def test_reload_with_hup_lets_a_request_finish(self):
        self.assertEqual(self.manage("start", "object-server")[0], 0)
        old = self.pids()["object-server"]
        slow = socket.create_connection(("127.0.0.1", self.ports["object"]), timeout=20)
        self.addCleanup(slow.close)
        slow.sendall(b"PUT /d1/0/a/c/o HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                     b"X-Timestamp: 1700000000.00000\r\nContent-Type: a/b\r\n"
                     b"Expect: 100-continue\r\n\r\n")
        self.assertTrue(slow.recv(4096).startswith(b"HTTP/1.1 100"))
        slow.sendall(b"12")
        status, said = self.manage("reload", "object-server")
        self.assertEqual(status, 0, said)
        self.assertNotEqual(self.pids()["object-server"], old)
        self.assertFalse(alive(old))
        self.assertEqual(self.get("object"), (200, b"OK"))
        slow.sendall(b"34")
        self.assertTrue(slow.recv(4096).startswith(b"HTTP/1.1 201"))
        self.assertEqual(self.get("object", "/d1/0/a/c/o"), (200, b"1234"))

    def test_usr1_renews_under_the_same_pid_and_loses_nothing(self):
        self.assertEqual(self.manage("start", "proxy-server")[0], 0)
        pid = self.pids()["proxy-server"]
        children = f"/proc/{pid}/task/{pid}/children"
        worker = pathlib.Path(children).read_text().split()[0]
        statuses, over = [], threading.Event()

        def ask():
            while not over.is_set():
                statuses.append(self.get("proxy")[0])

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            # Renewed with another conf: the health page is off now.
            (self.folder / "off2").touch()
            path = self.etc / "proxy-server.conf"
            path.write_text(path.read_text().replace("/off", "/off2"))
            self.assertEqual(self.manage("reload-seamless", "proxy-server")[0], 0)
            wait_until(lambda: statuses and statuses[-1] == 503)
        finally:
            over.set()
            thread.join(20)
        self.assertEqual(set(statuses), {200, 503})
        self.assertEqual(self.pids()["proxy-server"], pid)
        self.assertTrue(alive(pid))
        wait_until(lambda: not alive(int(worker)))

        # A conf that is wrong changes nothing but the log.
        path.write_text(path.read_text().replace("client_timeout", "") + "\n[broken\n")
        os.kill(pid, signal.SIGUSR1)
        wait_until(lambda: "not renewed" in self.log("proxy"))
        self.assertEqual(self.get("proxy")[0], 503)
        self.assertTrue(alive(pid))

    def test_a_worker_that_dies_is_followed_by_another(self):
        self.assertEqual(self.manage("start", "object-server")[0], 0)
        pid = self.pids()["object-server"]
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        worker = int(children.read_text().split()[0])
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: children.read_text().split() not in ([], [str(worker)]))
        self.assertEqual(self.get("object"), (200, b"OK"))
        # The supervisor's end is the worker's, whatever ends it.
        worker = int(children.read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(worker))

    def test_serve_tests_a_conf_and_keeps_a_pid_file(self):
        import subprocess
        conf = self.etc / "account-server.conf"
        good = subprocess.run([APUS, "serve", "--test-config", conf], capture_output=True)
        self.assertEqual((good.returncode, good.stderr), (0, b""))
        pid_file = self.folder / "apus.pid"
        child = subprocess.Popen([APUS, "serve", "--pid-file", pid_file, conf])
        self.addCleanup(child.wait, 20)
        self.addCleanup(child.terminate)
        wait_until(lambda: pid_file.exists() and pid_file.read_text().strip())
        self.assertEqual(int(pid_file.read_text()), child.pid)
        self.assertEqual(self.get("account"), (200, b"OK"))
        child.terminate()
        self.assertEqual(child.wait(15), 0)
        self.assertFalse(pid_file.exists())
        conf.write_text(conf.read_text().replace("egg:swift#account", "egg:swift#acount"))
        wrong = subprocess.run([APUS, "serve", "--test-config", conf], capture_output=True)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn(b"did you mean account?", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
