"""A node whose answers are garbage: clients get what is right from the others, and nothing of it is remembered."""

import hashlib
import http.client
import json
import socket
import time
import unittest

from under_load import UnderLoad

from harness.debian_swift import missing_parts
from harness.http import Client
from harness.liar import LIES, Liar
from harness.mixed_swift import partition_of
from harness.own_cluster import OwnCluster
from harness.processes import wait_until

TOLD = 3  # lies of a kind that a test waits for
ROUNDS = 300  # at most, until they were told
BODY = b"what is true " * 100
LARGE = b"what is true and long " * 20000  # not fetched whole before the client sees the first of it
# Each copy of a container has its own.
OF_ONE_COPY = {"created_at", "put_timestamp", "status_changed_at"}


class Garbage(UnderLoad):
    def test_nothing_is_lost_to_a_node_that_lies(self):
        self.begin(relay=Liar)
        liars = self.cluster.relays
        for lie in LIES[:-1]:  # an upload whose copies have several ETags is no success
            for liar in liars.values():
                liar.lie, liar.told = lie, 0
            wait_until(lambda: liars["object"].told >= TOLD, 120)
            self.load.go_on(10)
            for liar in liars.values():
                liar.lie = None
            self.nothing_lost()
            self.well_again()
        self.end()


class Forgiving(OwnCluster):
    """Its proxy never leaves a node alone, and waits for none longer than a second."""

    def __init__(self):
        super().__init__(relay=Liar)

    def _proxy_conf(self):
        super()._proxy_conf()
        conf = self.conf / "proxy-server.conf"
        conf.write_text(conf.read_text().replace("error_suppression_limit = 3", "error_suppression_limit = 1000000")
                        .replace("node_timeout = 5", "node_timeout = 1"))


class Memcached:
    """The plain text protocol, as much as is needed to look."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), 10)
        self._file = self._socket.makefile("rwb")

    def close(self):
        self._file.close()
        self._socket.close()

    def _ask(self, line):
        self._file.write(line + b"\r\n")
        self._file.flush()
        return self._file.readline()

    def forget(self):
        if self._ask(b"flush_all") != b"OK\r\n":
            raise RuntimeError("memcached did not forget")
        time.sleep(0.05)  # so does the proxy what it was told a moment ago (reuse_time)

    def get(self, key):
        """What Swift keeps under `key`, or None."""
        head = self._ask(b"get " + hashlib.md5(key.encode()).hexdigest().encode())
        if head == b"END\r\n":
            return None
        value = self._file.read(int(head.split()[3]))
        self._file.readline()
        self._file.readline()
        return json.loads(value)


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Forgiving())
        cls.memcached = Memcached(cls.cluster.memcache)
        cls.addClassCleanup(cls.memcached.close)
        cls.client = Client(cls.cluster.port).authenticate("test:tester", "testing-key")
        cls.container = cls.name_on_liar("container", "c")
        cls.client.request("PUT", f"{cls.client.account}/{cls.container}")
        cls.object = cls.name_on_liar("object", f"{cls.container}/o")
        cls.path = f"{cls.client.account}/{cls.object}"
        cls.client.request("PUT", cls.path, BODY)

    @classmethod
    def name_on_liar(cls, kind, prefix):
        return next(name for name in (f"{prefix}{i}" for i in range(100))
                    if any(device["device"] == f"d{cls.cluster.RELAYED}" for device in cls.cluster.primaries(
                        kind, partition_of(f"/AUTH_test/{name}", cls.cluster.part_power))))

    def setUp(self):
        self.truth = self.facts()

    def tearDown(self):
        for liar in self.cluster.relays.values():
            liar.lie = None

    def facts(self):
        """As the proxies of the cluster remember the container once they had to ask for it."""
        self.memcached.forget()
        self.client.authenticate("test:tester", "testing-key")
        answer = self.client.request("GET", self.path)
        self.assertEqual((answer.status, answer.body), (200, BODY), self.cluster.logs())
        known = self.memcached.get(f"container/AUTH_test/{self.container}")
        return {name: value for name, value in known.items() if name not in OF_ONE_COPY}

    def until_told(self, kind, lie, ask):
        liar = self.cluster.relays[kind]
        liar.lie, liar.told = lie, 0
        for _ in range(ROUNDS):
            if liar.told >= TOLD:
                return
            ask()
        self.fail(f"the {kind} server of node 1 was not asked")

    def test_reads_of_objects_go_on_elsewhere(self):
        def ask():
            answer = self.client.request("GET", self.path)
            self.assertEqual((answer.status, answer.body), (200, BODY), self.cluster.logs())

        for lie in LIES[:-1]:
            with self.subTest(lie=lie):
                self.until_told("object", lie, ask)

    def test_a_body_is_not_completed_with_another_entity(self):
        """Its ETag is with the client before the body breaks off: the client sees that it did."""
        path, broken = f"{self.client.account}/{self.name_on_liar('object', f'{self.container}/large')}", 0
        self.assertEqual(self.client.request("PUT", path, LARGE).status, 201)

        def ask():
            nonlocal broken
            try:
                answer = self.client.request("GET", path)
            except (OSError, http.client.IncompleteRead):
                broken += 1
            else:
                self.assertEqual((answer.status, answer.body, answer.headers["Etag"]),
                                 (200, LARGE, hashlib.md5(LARGE).hexdigest()), self.cluster.logs())

        self.until_told("object", "lying etag", ask)
        self.assertGreater(broken, 0)

    def test_copies_with_several_etags_are_no_success(self):
        self.until_told("object", "lying etag", lambda: self.assertEqual(
            self.client.request("PUT", self.path, BODY).status, 500))
        self.cluster.relays["object"].lie = None
        self.assertEqual(self.client.request("PUT", self.path, BODY).status, 201)

    def test_nothing_is_remembered_of_a_container_server_that_lies(self):
        for lie in LIES[:-1]:
            with self.subTest(lie=lie):
                self.until_told("container", lie, lambda: self.assertEqual(self.facts(), self.truth))

    def test_listings_are_whole(self):
        def ask():
            answer = self.client.request("GET", f"{self.client.account}/{self.container}")
            self.assertEqual(answer.status, 200, self.cluster.logs())
            self.assertIn(self.object.partition("/")[2], answer.body.decode().split())

        for lie in LIES[:-1]:
            with self.subTest(lie=lie):
                self.until_told("container", lie, ask)


if __name__ == "__main__":
    unittest.main(verbosity=2)
