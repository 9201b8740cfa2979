"""Apus's object server and Debian's on the same disks, one after the other, in one Debian cluster."""

import glob
import hashlib
import os
import pathlib
import pickle
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import DebianSwift, missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.processes import APUS, Child, wait_for_port  # noqa: E402

SNOW = "☃".encode().decode("latin-1")


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class ObjectServers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.swift = DebianSwift(devices=2, replicas=2).__enter__()
        cls.addClassCleanup(cls.swift.close)
        conf = cls.swift.conf / "object-server.conf"
        conf.write_text(conf.read_text() + "[object-replicator]\nsync_method = ssync\n[object-auditor]\n"
                        "[object-updater]\n[object-expirer]\n")
        cls.client = Client(cls.swift.port).authenticate("test:tester", "testing-key")
        assert cls.client.request("PUT", f"{cls.client.account}/c").status == 201

    def use(self, kind):
        """Puts an object server of that kind on the one port."""
        self.swift.children.pop("object").stop()
        if kind == "apus":
            child = Child([APUS, "serve", self.swift.conf / "object-server.conf"],
                          self.swift.folder / "log" / "object-apus.log")
            self.swift.children["object"] = child
            wait_for_port(self.swift.ports["object"], child.process)
        else:
            self.swift.start(("object",))

    def daemon(self, name):
        """One pass of a Debian daemon; what it said."""
        done = self.swift.run_program(f"object-{name}", self.swift.conf / "object-server.conf", "once", "-v", seconds=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def files(self, pattern):
        return sorted(glob.glob(f"{self.swift.devices_root}/{pattern}"))

    def put(self, name, body, **headers):
        answer = self.client.request("PUT", f"{self.client.account}/c/{name}", body,
                                     {key.replace("_", "-"): value for key, value in headers.items()})
        self.assertEqual(answer.status, 201, answer)

    def get(self, name):
        return self.client.request("GET", f"{self.client.account}/c/{name}")

    def fill(self, who):
        """Objects of every kind, written through the server that runs."""
        self.put(f"{who}/plain", b"hello", X_Object_Meta_Snow=SNOW, Content_Type="text/plain")
        self.put(f"{who}/é", os.urandom(200000))
        self.put(f"{who}/empty", b"")
        self.put(f"{who}/posted", b"body", X_Object_Meta_Old="1", Content_Encoding="gzip")
        answer = self.client.request("POST", f"{self.client.account}/c/{who}/posted",
                                     headers={"X-Object-Meta-New": SNOW, "Content-Type": "image/png"})
        self.assertEqual(answer.status, 202, answer)
        self.put(f"{who}/replaced", b"one")
        self.put(f"{who}/replaced", b"two")
        self.put(f"{who}/gone", b"x")
        self.assertEqual(self.client.request("DELETE", f"{self.client.account}/c/{who}/gone").status, 204)
        self.put(f"{who}/expires", b"x", X_Delete_After="1000000")

    def check(self, who):
        """What `fill` wrote, read through the server that runs."""
        plain = self.get(f"{who}/plain")
        self.assertEqual((plain.status, plain.body, plain.headers["Content-Type"]), (200, b"hello", "text/plain"))
        self.assertEqual(plain.headers["X-Object-Meta-Snow"], SNOW)
        self.assertEqual(plain.headers["Etag"], hashlib.md5(b"hello").hexdigest())
        large = self.get(f"{who}/é")
        self.assertEqual(hashlib.md5(large.body).hexdigest(), large.headers["Etag"])
        self.assertEqual(self.get(f"{who}/empty").body, b"")
        posted = self.get(f"{who}/posted")
        self.assertEqual((posted.body, posted.headers["Content-Type"]), (b"body", "image/png"))
        self.assertEqual(posted.headers["X-Object-Meta-New"], SNOW)
        self.assertNotIn("X-Object-Meta-Old", posted.headers)
        self.assertEqual(self.get(f"{who}/replaced").body, b"two")
        self.assertEqual(self.get(f"{who}/gone").status, 404)
        self.assertIn("X-Delete-At", self.get(f"{who}/expires").headers)

    def replicate(self, device, partition):
        client = Client(self.swift.ports["object"])
        try:
            return client.request("REPLICATE", f"/{device}/{partition}")
        finally:
            client.close()

    def all_hashes(self):
        """The answers of the server that runs for every partition there is."""
        out = {}
        for path in self.files("d*/objects/*"):
            device, _, partition = pathlib.Path(path).parts[-3:]
            answer = self.replicate(device, partition)
            self.assertEqual(answer.status, 200, answer)
            out[device, partition] = pickle.loads(answer.body)
        return out

    def forget_hashes(self):
        for path in self.files("d*/objects/*/hashes.pkl"):
            os.unlink(path)

    def test_1_each_reads_what_the_other_wrote(self):
        self.fill("debian")
        self.use("apus")
        self.check("debian")
        self.fill("apus")
        self.check("apus")
        self.use("debian")
        self.check("apus")
        # Each changes what the other wrote.
        self.put("apus/plain", b"hello", X_Object_Meta_Snow=SNOW, Content_Type="text/plain")
        self.use("apus")
        self.check("apus")
        self.put("debian/plain", b"hello", X_Object_Meta_Snow=SNOW, Content_Type="text/plain")
        self.use("debian")
        self.check("debian")

    def test_2_both_hash_alike(self):
        debian = self.all_hashes()
        self.assertTrue(any(debian.values()))
        self.use("apus")
        self.assertEqual(self.all_hashes(), debian, "hashes.pkl of Debian's server")
        self.forget_hashes()
        self.assertEqual(self.all_hashes(), debian, "hashed anew")
        self.fill("hashed")
        apus = self.all_hashes()
        self.use("debian")
        self.assertEqual(self.all_hashes(), apus, "hashes.pkl of Apus")
        self.forget_hashes()
        self.assertEqual(self.all_hashes(), apus)

    def test_3_debian_finds_nothing_wrong(self):
        said = self.daemon("auditor")
        self.assertEqual(self.files("d*/quarantined/*/*"), [], said)
        self.assertNotIn("ERROR", said)
        info = self.swift.run_program("object-info", "-d", self.swift.conf, self.files("d1/objects/*/*/*/*.data")[0])
        self.assertEqual(info.returncode, 0, info.stdout + info.stderr)
        self.assertIn("(valid)", info.stdout)

    def test_4_debian_sends_what_apus_queued(self):
        self.use("apus")
        # The proxy knows the container from here on: only the update cannot be sent.
        self.put("warm", b"")
        self.swift.children.pop("container").stop()
        self.put("queued/☃", b"hello", Content_Type="text/plain;x=é".encode().decode("latin-1"))
        queued = self.files("d*/async_pending/*/*")
        self.assertNotEqual(queued, [])
        self.swift.start(("container",))
        said = self.daemon("updater")
        self.assertEqual(self.files("d*/async_pending/*/*"), [], said)
        listing = self.client.request("GET", f"{self.client.account}/c", query={"prefix": "queued/"})
        self.assertEqual(listing.body.decode(), "queued/☃\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
