"""A server under load is renewed again and again: every request gets its answer."""

import contextlib
import http.client
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

from harness.http import ASK_HEALTH, ask_health  # noqa: E402
from harness.processes import APUS, Child, alive, free_port, wait_for_port, wait_until  # noqa: E402

RENEWALS = 12
SEVERAL = 4


class Client(threading.Thread):
    """Asks until told to stop; what became of each request is counted. A kept connection that the
    server said it would close is opened again, one that it closed without a word is a loss."""

    def __init__(self, port, keep, pause=0.0):
        super().__init__(daemon=True)
        self.port, self.keep, self.pause = port, keep, pause
        self.over = threading.Event()
        self.answers, self.lost, self.told = 0, [], 0

    def run(self):
        connection = None
        while not self.over.is_set():
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request("GET", "/healthcheck")
                answer = connection.getresponse()
                body = answer.read()
                if (answer.status, body) != (200, b"OK"):
                    self.lost.append((answer.status, body))
                self.answers += 1
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
            if connection.sock is None:  # closed by the answer's own word
                self.told += 1
            elif not self.keep:
                connection.close()
            self.over.wait(self.pause)
        if connection is not None:
            connection.close()


class RenewalTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-renewal-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = renewal\n")
        (self.folder / "devices").mkdir()
        self.port = free_port()

    def serve(self, more="", port=None):
        self.write(more, port)
        child = Child([APUS, "serve", self.folder / "object-server.conf"], self.folder / "out")
        self.addCleanup(child.kill)
        wait_for_port(self.port, child.process)
        wait_until(lambda: self.renewals() > 0)
        return child

    def write(self, more="", port=None):
        (self.folder / "object-server.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port or self.port}\n"
            f"swift_dir = {self.folder}\ndevices = {self.folder}/devices\nlog_to = file:{self.folder}/log\nbind_timeout = 1\n{more}"
            "[pipeline:main]\npipeline = healthcheck object-server\n"
            "[filter:healthcheck]\nuse = egg:swift#healthcheck\n"
            "[app:object-server]\nuse = egg:swift#object\n")

    def log(self):
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def workers(self, child):
        text = pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text()
        return [int(word) for word in text.split()]

    def renewals(self):
        return self.log().count("Started worker")

    def renew(self, child):
        before = self.renewals()
        os.kill(child.pid, signal.SIGUSR1)
        wait_until(lambda: self.renewals() > before)

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.addCleanup(client.close)
        return client

    def test_no_request_is_lost_while_the_server_is_renewed(self):
        child = self.serve()
        clients = ([Client(self.port, keep=True) for _ in range(SEVERAL)] +
                   [Client(self.port, keep=True, pause=0.02) for _ in range(SEVERAL)] +
                   [Client(self.port, keep=False) for _ in range(SEVERAL)])
        for client in clients:
            client.start()
        try:
            for _ in range(RENEWALS):
                answers = [client.answers for client in clients]
                self.renew(child)
                wait_until(lambda: all(client.answers > count
                                       for client, count in zip(clients, answers)))
        finally:
            for client in clients:
                client.over.set()
            for client in clients:
                client.join(30)
        sums = [sum(client.answers for client in clients[at:at + SEVERAL])
                for at in range(0, len(clients), SEVERAL)]
        print(f"{RENEWALS} renewals, answers to busy, slow and new connections: {sums}, "
              f"{sum(client.told for client in clients)} closed by their word", file=sys.stderr)
        self.assertEqual([loss for client in clients for loss in client.lost], [])
        # Each renewal moved the kept connections over.
        for client in clients[:2 * SEVERAL]:
            self.assertGreaterEqual(client.told, RENEWALS // 2)
        wait_until(lambda: len(self.workers(child)) == 1)

    def test_connections_that_there_are_get_one_answer_more(self):
        child = self.serve("keepalive_timeout = 2\n")
        old = self.workers(child)
        fresh, idle, begun, silent = (self.connect() for _ in range(4))
        for client in (idle, silent):
            ask_health(client)
        begun.sendall(ASK_HEALTH[:10])
        self.renew(child)
        for client, rest in ((fresh, ASK_HEALTH), (idle, ASK_HEALTH), (begun, ASK_HEALTH[10:])):
            answer = ask_health(client, rest)
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
            self.assertIn(b"\r\nConnection: close\r\n", answer)
            self.assertEqual(client.recv(100), b"")
        self.assertTrue(alive(old[0]))
        self.assertEqual(silent.recv(100), b"")  # an orderly end, when its time is over
        wait_until(lambda: not alive(old[0]))
        self.assertNotIn(b"Connection: close", ask_health(self.connect()))

    def test_the_end_of_the_server_is_that_of_workers_that_drain(self):
        child = self.serve()
        idle = [self.connect()]
        ask_health(idle[0])
        for _ in range(3):
            self.renew(child)
            idle.append(self.connect())
            ask_health(idle[-1])
        workers = self.workers(child)
        self.assertEqual(len(workers), 4)
        begin = time.monotonic()
        self.assertEqual(child.stop(), 0)
        self.assertLess(time.monotonic() - begin, 15)
        self.assertFalse(any(alive(pid) for pid in workers))
        for client in idle:
            self.assertEqual(client.recv(100), b"")

    def test_a_port_that_cannot_be_had_leaves_the_old_worker_in_force(self):
        child = self.serve()
        with contextlib.closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.write(port=taken.getsockname()[1])
            worker = self.workers(child)
            os.kill(child.pid, signal.SIGUSR1)
            wait_until(lambda: "not renewed" in self.log())
            with self.connect() as client:
                ask_health(client)
            self.assertEqual(self.workers(child), worker)
        self.write()
        self.renew(child)
        with self.connect() as client:
            ask_health(client)
        wait_until(lambda: self.workers(child) != worker and len(self.workers(child)) == 1)

    def test_a_key_that_only_root_may_read(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        key, cert = self.folder / "key.pem", self.folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", cert], check=True,
                       stderr=subprocess.DEVNULL)
        key.chmod(0o600)
        (self.folder / "log").touch()
        (self.folder / "log").chmod(0o666)
        self.folder.chmod(0o755)
        child = self.serve(f"cert_file = {cert}\nkey_file = {key}\nuser = nobody\n")

        def ask():
            import ssl
            secure = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20,
                                                 context=ssl._create_unverified_context())
            with contextlib.closing(secure):
                secure.request("GET", "/healthcheck")
                return secure.getresponse().status

        self.assertEqual(ask(), 200)
        worker = pathlib.Path(f"/proc/{self.workers(child)[0]}/status").read_text()
        self.assertNotIn("Uid:\t0", worker)
        # A renewal reads it again; without it nothing changes but the log.
        self.renew(child)
        self.assertEqual(ask(), 200)
        key.rename(self.folder / "away")
        os.kill(child.pid, signal.SIGUSR1)
        wait_until(lambda: "not renewed" in self.log())
        self.assertEqual(ask(), 200)


if __name__ == "__main__":
    unittest.main()
