"""Proxies of both kinds share memcached servers: Debian's MemcacheRing reads what Apus wrote, and the reverse."""

import contextlib
import hashlib
import json
import logging
import pathlib
import pickle
import shutil
import socket
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import ApusUp, Child, free_port, wait_for_port, wait_until  # noqa: E402

try:
    from swift.common.memcached import MemcacheRing
except ImportError:
    MemcacheRing = None


@unittest.skipIf(MemcacheRing is None or shutil.which("memcached") is None,
                 "Debian's python3-swift or memcached is not installed")
class Shared(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="memcached-")))
        self.folder, self.servers = folder, []
        for _ in range(3):
            port = free_port()
            child = Child(["memcached", "-u", "root", "-l", "127.0.0.1", "-p", port, "-m", "8"],
                          folder / f"{port}.log")
            stack.callback(child.kill)
            wait_for_port(port, child.process)
            self.servers.append(f"127.0.0.1:{port}")
        self.apus = stack.enter_context(ApusUp())
        self.apus.stop()
        conf = self.apus.data / "etc" / "proxy-server.conf"
        text = conf.read_text()
        self.assertEqual(text.count("memcache_servers = local\n"), 1)
        conf.write_text(text.replace("memcache_servers = local\n", f"memcache_servers = {', '.join(self.servers)}\n"))
        self.apus.start()
        logging.disable(logging.CRITICAL)
        self.ring = MemcacheRing(self.servers)

    def test_both_ways(self):
        client = Client(self.apus.port).authenticate(ApusUp.USER, ApusUp.KEY)
        names = [f"c{i}" for i in range(20)]
        for name in names:
            self.assertEqual(client.request("PUT", f"{client.account}/{name}").status, 201)
            self.assertEqual(client.request("PUT", f"{client.account}/{name}/o", b"x").status, 201)
        for name in names:
            info = self.ring.get(f"container/AUTH_test/{name}")
            self.assertIsInstance(info, dict, name)
            self.assertEqual(info["status"], 204)
        # A token that a Swift proxy gave out is good here.
        self.ring.set("AUTH_/token/AUTH_tkswift", [time.time() + 60, "test,test:tester,AUTH_test"], time=60)
        other = Client(self.apus.port)
        other.headers["X-Auth-Token"] = "AUTH_tkswift"
        self.assertEqual(other.request("GET", client.account).status, 200)
        # Garbage under keys that Apus reads hurts nobody.
        for value in ([1], {"status": "x"}, "x", 5, None, {"status": 204, "object_count": {}}):
            for key in ("account/AUTH_test", *(f"container/AUTH_test/{name}" for name in names)):
                self.ring.set(key, value, time=60)
            self.assertEqual(client.request("GET", f"{client.account}/c0/o").status, 200)
        self.assertEqual(client.request("GET", "/healthcheck").status, 200)

    def change_elsewhere(self, container, readable):
        """As another proxy would after a POST of the container's ACL, until it is seen here."""
        key = f"container/AUTH_test/{container}"
        info = {**self.ring.get(key), "read_acl": ".r:*" if readable else None}
        stranger = Client(self.apus.port)
        self.ring.set(key, info, time=60)
        wanted = 200 if readable else 401
        wait_until(lambda: stranger.request("GET", f"/v1/AUTH_test/{container}/o").status == wanted, 1)
        stranger.close()

    def test_what_another_proxy_changes_is_seen_soon(self):
        client = Client(self.apus.port).authenticate(ApusUp.USER, ApusUp.KEY)
        path = f"{client.account}/c"
        for step, body in ((path, None), (f"{path}/o", b"x")):
            self.assertEqual(client.request("PUT", step, body).status, 201)
        self.assertEqual(client.request("GET", f"{path}/o").status, 200)
        for turn in range(6):
            self.change_elsewhere("c", turn % 2 == 0)
        # What this proxy changes is seen at once.
        stranger = Client(self.apus.port)
        for turn in range(20):
            acl, wanted = ((".r:*", 200), ("", 401))[turn % 2]
            self.assertEqual(client.request("POST", path, headers={"X-Container-Read": acl}).status, 204)
            self.assertEqual(stranger.request("GET", f"{path}/o").status, wanted, turn)
        stranger.close()

    def test_CVE_2012_4406(self):
        """Pickles in memcached are no values, and nothing in them is run."""
        mark = pathlib.Path(self.folder) / "ran"
        attack = f"cos\nsystem\n(S'touch {mark}'\ntR.".encode()
        owner = pickle.dumps([time.time() + 60, "test,test:tester,AUTH_test"])
        client = Client(self.apus.port)
        for number, (flags, value, status) in enumerate((
                (1, attack, 401), (1, owner, 401), (2, attack, 401), (3, owner, 401),
                (2, json.dumps(pickle.loads(owner)).encode(), 204))):
            token = f"AUTH_tkpickle{number}"
            key = hashlib.md5(f"AUTH_/token/{token}".encode()).hexdigest()
            for server in self.servers:
                host, port = server.split(":")
                with socket.create_connection((host, int(port))) as connection:
                    connection.sendall(f"set {key} {flags} 60 {len(value)}\r\n".encode() + value + b"\r\n")
                    self.assertEqual(connection.recv(100), b"STORED\r\n")
            client.headers["X-Auth-Token"] = token
            self.assertEqual(client.request("GET", "/v1/AUTH_test").status, status, f"{flags} {value}")
        self.assertFalse(mark.exists())


if __name__ == "__main__":
    unittest.main()
