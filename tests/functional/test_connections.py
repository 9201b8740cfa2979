"""Many clients that say nothing, clients that say little, and one client too many."""

import contextlib
import pathlib
import re
import resource
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import ask_health  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

IDLE = 9999  # and one before them: as many as are let in by default


def allow_files(wanted):
    """Room for the sockets of this process and, inherited, of the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise unittest.SkipTest(f"no more than {hard} open files are allowed here")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def status_value(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE).group(1))


class Connections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        allow_files(IDLE + 2000)

    def start(self, **options):
        """A store whose proxy has these options in [DEFAULT]."""
        store = ApusUp()
        self.addCleanup(store.close)
        store.start()
        if options:
            store.stop()
            conf = store.data / "etc" / "proxy-server.conf"
            lines = "".join(f"{name} = {value}\n" for name, value in options.items())
            conf.write_text(conf.read_text().replace("[DEFAULT]\n", "[DEFAULT]\n" + lines, 1))
            store.start()
        return store

    def connect(self, store):
        client = socket.create_connection(("127.0.0.1", store.port), timeout=20)
        self.addCleanup(client.close)
        return client

    def test_idle_connections_cost_neither_threads_nor_much_memory(self):
        store = self.start()
        pid = store.child.pid
        ask_health(self.connect(store))
        threads, memory = status_value(pid, "Threads"), status_value(pid, "VmRSS")
        clients = []
        for _ in range(IDLE):
            clients.append(self.connect(store))
            ask_health(clients[-1])
        more_memory = status_value(pid, "VmRSS") - memory
        more_threads = status_value(pid, "Threads") - threads
        print(f"{IDLE} idle connections: {more_threads} threads more, "
              f"{more_memory / IDLE:.2f} KiB each, {threads} threads before", file=sys.stderr)
        self.assertLess(more_threads, 128)  # workers of bursts; 256 is the most there can be
        self.assertLess(more_memory, 8 * IDLE)
        for client in clients:  # each of them still lives
            self.assertTrue(ask_health(client).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_clients_that_trickle_their_heads_hold_up_nobody(self):
        store = self.start(worker_threads=4, header_timeout=2)
        slow = [self.connect(store) for _ in range(200)]
        for client in slow:
            client.sendall(b"GET /healthcheck HT")
        start = time.monotonic()
        ask_health(self.connect(store))
        self.assertLess(time.monotonic() - start, 1.5)
        self.assertLess(status_value(store.child.pid, "Threads"), 32)
        for client in slow[:20]:  # each byte is in time, the head as a whole is not
            with contextlib.suppress(OSError):
                client.sendall(b"T")
        for client in slow:
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(client.recv(100), b"")

    def test_one_connection_too_many_is_told_so_at_once(self):
        store = self.start(max_clients=50)
        taken = []
        for _ in range(500):  # the connection that saw the port open may still count
            client = self.connect(store)
            with contextlib.suppress(AssertionError, OSError):
                ask_health(client)
                taken.append(client)
            if len(taken) == 50:
                break
        self.assertEqual(len(taken), 50)
        start = time.monotonic()
        answer = self.connect(store).recv(4096)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n"), answer)
        self.assertLess(time.monotonic() - start, 1.5)
        ask_health(taken[0])
        for client in taken[1:10]:
            client.close()
        for _ in range(200):  # until the server has seen the ends
            client = self.connect(store)
            with contextlib.suppress(AssertionError, OSError):
                ask_health(client)
                return
        self.fail("no connection was taken after others had gone")


if __name__ == "__main__":
    unittest.main()
