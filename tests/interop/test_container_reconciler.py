"""Containers that two halves of a cluster made with different policies: replicators settle them and queue what is
misplaced, reconcilers move it. Each half of that work by Debian's daemon or by Apus's, over servers of both kinds."""

import hashlib
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import unittest
from urllib.parse import unquote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_cluster import NODES, MixedCluster  # noqa: E402
from harness.mixed_swift import partition_of, timestamp  # noqa: E402
from harness.processes import APUS, Child, free_port, wait_for_port  # noqa: E402

BASE = int(time.time()) // 3600 * 3600 - 7100
HOUR = str(BASE // 3600 * 3600)
MAKERS = ("debian", "apus")
MIX = {("container", 1), ("object", 2), ("account", 1)}  # what Apus serves
PIPELINE = "catch_errors proxy-logging cache proxy-server"
NOTHING = "d41d8cd98f00b204e9800998ecf8427e"


def at(seconds):
    return timestamp(BASE + seconds)


class Cluster(MixedCluster):
    """Two policies on the same devices; no door for clients."""

    def __init__(self):
        super().__init__()
        self.doors = {}
        self.rsync_port = free_port()

    def mix(self, apus):
        super().mix(MIX)

    def write(self):
        super().write()
        with open(self.conf / "swift.conf", "a") as conf:
            conf.write("[storage-policy:1]\nname = silver\n")
        shutil.copy(self.conf / "object.ring.gz", self.conf / "object-1.ring.gz")
        (self.conf / "rsyncd.conf").write_text(
            f"use chroot = no\nuid = root\ngid = root\naddress = 127.0.0.1\nport = {self.rsync_port}\n"
            f"log file = {self.folder}/log/rsyncd.log\npid file = {self.folder}/rsyncd.pid\n"
            f"[container]\npath = {self.devices_root}\nread only = false\nlock file = {self.folder}/rsync.lock\n")
        memcache = f"[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = {self.memcache}\n"
        (self.conf / "container-reconciler.conf").write_text(
            f"[DEFAULT]\nswift_dir = {self.conf}\nlog_level = DEBUG\n[container-reconciler]\nconcurrency = 3\n"
            f"[pipeline:main]\npipeline = {PIPELINE}\n[app:proxy-server]\nuse = egg:swift#proxy\nconn_timeout = 20\n"
            "allow_account_management = yes\n"
            f"node_timeout = 60\n[filter:catch_errors]\nuse = egg:swift#catch_errors\n"
            f"[filter:proxy-logging]\nuse = egg:swift#proxy_logging\n{memcache}")

    def start(self, kinds):
        self.children["rsyncd"] = Child(["rsync", "--daemon", "--no-detach", "--config", self.conf / "rsyncd.conf"],
                                        self.folder / "log" / "rsyncd.out")
        wait_for_port(self.rsync_port, self.children["rsyncd"].process)
        super().start(kinds)

    def send(self, requests):
        """Requests (method, path, headers, body) past every filter, as daemons send them: with times and policies."""
        script = ("import io, json, sys\nfrom swift.common.internal_client import InternalClient\n"
                  "client = InternalClient(sys.argv[1], 'test', 1)\n"
                  "for method, path, headers, body in json.load(sys.stdin):\n"
                  "    body = None if body is None else io.BytesIO(body.encode())\n"
                  "    client.handle_request(method, '/v1' + path, headers, (2, 404), body)\n")
        program = self.folder / "send.py"
        program.write_text(script)
        done = self.run_program(program, self.conf / "container-reconciler.conf", stdin=json.dumps(requests), seconds=120)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)

    def run(self, maker, name, conf):
        if maker == "debian":
            done = self.run_program(name, conf, "once", "-v", seconds=120)
        else:
            done = subprocess.run([APUS, name, conf, "once", "-v"], text=True, timeout=120, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{maker}'s {name} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def replicate(self, maker):
        """A pass of a container replicator on each node. One copy after the other: two that tell their peers of the
        policy at once may leave one to the next pass, in Swift as in Apus."""
        said = ""
        for node in NODES:
            conf = self.conf / f"replicator-{node}.conf"
            text = (self.conf / "container-server.conf").read_text().replace(
                f"bind_port = {self.ports['container']}\n", f"bind_port = {self.node_ports['container', node]}\n")
            conf.write_text(f"{text}[container-replicator]\nconcurrency = 1\nnode_timeout = 60\nconn_timeout = 20\n"
                            f"rsync_module = rsync://127.0.0.1:{self.rsync_port}/container\n")
            said += self.run(maker, "container-replicator", conf)
        return said

    def reconcile(self, maker):
        return self.run(maker, "container-reconciler", self.conf / "container-reconciler.conf")

    def container_devices(self, path):
        from swift.common.ring.ring import RingData
        ring = RingData.load(str(self.conf / "container.ring.gz"))
        partition = partition_of(path, self.part_power)
        return [(ring.devs[row[partition]], partition) for row in ring._replica2part2dev_id]

    def on_device(self, device, partition, method, path, **headers):
        client = Client(device["port"])
        answer = client.request(method, f"/{device['device']}/{partition}{path}",
                                headers={name.replace("_", "-"): value for name, value in headers.items()})
        client.close()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {answer}")
        return answer

    def databases(self, path):
        """All database files of a container, the folder of the device first."""
        digest = hashlib.md5(b"oracle" + path.encode() + b"oracle").hexdigest()
        return sorted(pathlib.Path(self.devices_root).glob(f"d*/containers/*/*/{digest}/*.db"))

    def rows(self, path):
        """Of each copy of a container: its policy, and its rows."""
        for device, partition in self.container_devices(path):
            self.on_device(device, partition, "GET", path, X_Timestamp=at(0))  # takes in what is pending
        out = []
        for file in self.databases(path):
            database = sqlite3.connect(file)
            try:
                [[policy]] = database.execute("SELECT storage_policy_index FROM container_info")
                out.append((policy, sorted(database.execute(
                    "SELECT name, storage_policy_index, deleted, created_at, size, content_type, etag FROM object"))))
            finally:
                database.close()
        return out

    def files(self, path):
        """Of an object: "POLICY-FOLDER/NAME" of its files, how often each is there, and what .data and .meta say."""
        from swift.obj.diskfile import read_metadata
        digest = hashlib.md5(b"oracle" + path.encode() + b"oracle").hexdigest()
        out = {}
        for file in pathlib.Path(self.devices_root).glob(f"d*/objects*/*/*/{digest}/*"):
            said = {name: value for name, value in read_metadata(str(file)).items() if name != "name"}
            content = hashlib.md5(file.read_bytes()).hexdigest()
            place = out.setdefault(f"{file.parts[-5]}/{file.name}", [0, said, content])
            place[0] += 1
            if place[1:] != [said, content]:
                raise AssertionError(f"copies of {path} differ: {place} and {said}")
        return out


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Reconcilers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster())

    def make_container(self, path, lives):
        """`lives`: for each copy the policy, and when it was put, deleted, put, ..."""
        for (device, partition), (policy, *times) in zip(self.cluster.container_devices(path), lives):
            for number, when in enumerate(times):
                self.cluster.on_device(device, partition, "DELETE" if number % 2 else "PUT", path, X_Timestamp=at(when),
                                       X_Backend_Storage_Policy_Index=str(policy))

    def objects(self, path, right):
        """Requests that make objects in both policies."""
        wrong = 1 - right
        requests = []

        def send(method, name, policy, when, body=None, **headers):
            headers = {field.replace("_", "-"): value for field, value in headers.items()}
            requests.append((method, f"{path}/{name}", {"X-Backend-Storage-Policy-Index": str(policy),
                                                        "X-Timestamp": at(when), **headers}, body))

        def put(name, policy, when, body="some bytes", **headers):
            send("PUT", name, policy, when, body, **{"Content_Type": "text/plain", "Content_Length": str(len(body)), **headers})

        put("only%20wrong%20%C3%BC", wrong, 30, X_Object_Meta_Color="blau", X_Delete_At=str(BASE + 500_000_000))
        put("empty", wrong, 30, "")
        put("large", wrong, 30, "0123456789" * 30_000, Content_Encoding="none")
        put("newer%20right", wrong, 30, "old")
        put("newer%20right", right, 40, "new")
        put("newer%20wrong", right, 30, "old")
        put("newer%20wrong", wrong, 40, "newer")
        put("only%20right", right, 30)
        put("gone", right, 30)
        send("DELETE", "gone", wrong, 40)
        put("gone%20there", wrong, 30)
        send("DELETE", "gone%20there", right, 40)
        put("manifest", wrong, 30, "[]", X_Static_Large_Object="True", X_Object_Sysmeta_Slo_Etag="abc",
            X_Object_Sysmeta_Slo_Size="77", X_Object_Sysmeta_Container_Update_Override_Etag=f"{NOTHING}; slo_etag=abc")
        put("posted", wrong, 30)
        send("POST", "posted", wrong, 50, X_Object_Meta_Color="rot")
        return requests

    def queue(self, account):
        """Rows of the queue, alike in each of its copies."""
        conf = self.cluster.conf / "updater.conf"
        conf.write_text((self.cluster.conf / "container-server.conf").read_text() + "[container-updater]\n")
        self.cluster.run("apus", "container-updater", conf)  # the account knows the queue's containers
        return [row for row in self.alike(f"/.misplaced_objects/{HOUR}")[1] if account in row[0]]

    def travel(self, replicator, reconciler):
        """What is on the disks at the end, without the names that are this journey's own."""
        account = f"/AUTH_{replicator}_{reconciler}"
        places = {f"{account}/first": 0, f"{account}/anew": 1}
        self.make_container(f"{account}/first", [(0, 1), (1, 2), (1, 2)])
        self.make_container(f"{account}/anew", [(0, 1), (1, 2, 5, 9), (0, 1)])
        requests = [("PUT", account, {"X-Timestamp": at(0)}, None)]
        for path, right in places.items():
            requests += self.objects(path, right)
            for device, partition in self.cluster.container_devices(path):  # a row whose object is nowhere
                self.cluster.on_device(device, partition, "PUT", f"{path}/ghost", X_Timestamp=at(30), X_Size="3",
                                       X_Content_Type="text/plain", X_Etag="e",
                                       X_Backend_Storage_Policy_Index=str(1 - right))
        self.cluster.send(requests)
        said = self.cluster.replicate(replicator)
        queued = self.queue(account)
        for path, right in places.items():
            self.assertEqual([policy for policy, _ in self.cluster.rows(path)], [right] * 3, said)
        self.assertEqual(len(queued), 2 * 9 + 2, queued)
        said += self.cluster.reconcile(reconciler)
        left = self.queue(account)
        ghosts = {f"{1 - right}:{path}/ghost" for path, right in places.items()}
        self.assertEqual({name for name, _, deleted, *_ in left if not deleted}, ghosts, said)
        self.assertEqual([row[0] for row in left], [row[0] for row in queued])
        # A second pass, by the other, finds those that are nowhere, and nothing else.
        again = self.cluster.reconcile(MAKERS[1 - MAKERS.index(reconciler)])
        self.assertNotIn("copy_success", again)
        self.assertEqual(self.queue(account), left, again)
        self.complaints(said + again)
        names = {unquote(path.rsplit("/", 1)[1]) for method, path, *_ in requests[1:]}
        short = lambda rows: [tuple(str(value).replace(account, "/AUTH") for value in row) for row in rows]
        return {"queued": short(queued), "left": short(left),
                "rows": {path.replace(account, ""): self.alike(path) for path in places},
                "files": {path.replace(account, ""): {name: self.cluster.files(f"{path}/{name}") for name in names}
                          for path in places}}

    def alike(self, path):
        copies = self.cluster.rows(path)
        self.assertEqual(len(copies), 3)
        for copy in copies:
            self.assertEqual(copy, copies[0])
        return copies[0]

    def complaints(self, said):
        servers = "".join(child.output() for child in self.cluster.children.values())
        for text in (said, servers):
            self.assertEqual([line for line in text.splitlines()
                              if re.search(r"Traceback|ERROR|CRITICAL|Unhandled|unhandled", line)], [])

    def test_each_goes_on_where_the_other_stopped(self):
        self.maxDiff = None
        first = self.travel("debian", "apus")
        self.look(first["files"])
        self.assertEqual(self.travel("apus", "debian"), first)

    def look(self, all_files):
        """Every object where it belongs, and only there."""
        for path, here, there in (("/first", "objects", "objects-1"), ("/anew", "objects-1", "objects")):
            for name, files in all_files[path].items():
                data = {place.split("/")[0] for place in files if place.endswith(".data")}
                self.assertEqual(data, set() if name in ("gone", "gone there") else {here}, (name, files))
                tombs = {place.split("/")[0] for place in files if place.endswith(".ts")}
                self.assertIn(tombs - {here}, ({there}, set()), (name, files))
                self.assertEqual({count for count, *_ in files.values()}, {3}, (name, files))


if __name__ == "__main__":
    unittest.main(verbosity=2)
