"""Mixed clusters: Apus' proxy over Debian's back ends, Debian's proxy over Apus' back ends, and each kind of back
end swapped alone. Rings, disks, databases and memcached are Debian's throughout; real clients travel."""

import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from journey import checksums, make_tree, run  # noqa: E402

from harness.debian_swift import KINDS, DebianSwift, missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.processes import APUS, ApusUp, Child, wait_for_port  # noqa: E402

PIPELINE = "catch_errors gatekeeper healthcheck cache listing_formats tempauth copy proxy-server"
FILES = int(os.environ.get("APUS_MIXED_FILES", 300))


class Mixed:
    """Debian's Swift on 4 devices with 3 replicas, some of its servers replaced. A context manager."""

    def __init__(self, apus):
        self.apus = set(apus)
        self.swift = DebianSwift(devices=4, replicas=3, log_level="WARNING")
        self.children = {}

    @property
    def port(self):
        return self.swift.port

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def start(self):
        self.swift.write()
        self.swift.start([kind for kind in KINDS if kind not in self.apus])
        for kind in KINDS:
            if kind in self.apus:
                self.start_apus(kind)
        if "proxy" in self.apus:
            self.start_apus("proxy")
        else:
            self.swift.start(("proxy",))

    def close(self):
        for child in self.children.values():
            child.stop()
        self.swift.close()

    def conf_of(self, kind):
        common = (f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self.swift.ports[kind]}\nswift_dir = "
                  f"{self.swift.conf}\nlog_to = file:{self.swift.folder}/log/apus-{kind}.log\nlog_level = INFO\n")
        if kind != "proxy":
            return common + (f"devices = {self.swift.devices_root}\nmount_check = false\n[pipeline:main]\npipeline = "
                             f"{kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n")
        names = {"proxy-server": "proxy", "cache": "memcache"}
        sections = "".join(f"[filter:{name}]\nuse = egg:swift#{names.get(name, name)}\n"
                           for name in PIPELINE.split()[:-1] if name not in ("tempauth", "cache"))
        return (common + f"[pipeline:main]\npipeline = {PIPELINE}\n{sections}"
                f"[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = {self.swift.memcache}\n"
                "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = testing-key .admin\n"
                "user_test_reader = reading\n"
                "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = yes\n"
                "allow_account_management = yes\n")

    def start_apus(self, kind):
        conf = self.swift.conf / f"apus-{kind}.conf"
        conf.write_text(self.conf_of(kind))
        child = Child([APUS, "serve", conf], self.swift.folder / "log" / f"apus-{kind}.out")
        self.children[kind] = child
        try:
            wait_for_port(self.swift.ports[kind], child.process)
        except RuntimeError as error:
            raise RuntimeError(f"apus {kind}: {error}\n{child.output()}") from None

    def logs(self):
        return "".join(f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}\n"
                       for path in sorted((self.swift.folder / "log").iterdir()))


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class MixedClusters(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="apus-mixed-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def travel(self, apus):
        with Mixed(apus) as cluster:
            try:
                self.swiftclient(cluster)
                self.plain_http(cluster)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{cluster.logs()}") from None

    def swiftclient(self, cluster):
        environment = {**os.environ, "ST_AUTH": f"http://127.0.0.1:{cluster.port}/auth/v1.0",
                       "ST_USER": ApusUp.USER, "ST_KEY": ApusUp.KEY, "HOME": str(self.scratch)}
        swift = lambda *words, **options: run("swift", *words, env=environment, **options)
        tree, back = self.scratch / "tree", self.scratch / "back"
        count = make_tree(tree, FILES, seed=4)
        swift("upload", "tree", ".", cwd=tree)
        self.assertEqual(len(swift("list", "tree").stdout.splitlines()), count)
        swift("download", "tree", "-D", back)
        self.assertEqual(checksums(tree), checksums(back))
        self.assertIn(f"Objects: {count}", swift("stat", "tree").stdout)
        swift("post", "tree", "-m", "color:bleu é", "-r", ".r:*,.rlistings")
        self.assertIn("Meta Color: bleu é", swift("stat", "tree").stdout)
        swift("delete", "tree")
        self.assertEqual(swift("list").stdout.split(), [])
        shutil.rmtree(back)

    def plain_http(self, cluster):
        client = Client(cluster.port).authenticate(ApusUp.USER, ApusUp.KEY)
        self.addCleanup(client.close)
        ask = lambda method, path, *rest, **more: client.request(method, client.account + path, *rest, **more)
        check = lambda answer, status: self.assertEqual(answer.status, status, answer)
        check(ask("PUT", "/plain"), 201)
        check(ask("PUT", "/plain"), 202)
        body = os.urandom(3 << 20)
        put = ask("PUT", "/plain/big", body, {"Content-Type": "a/b", "X-Object-Meta-Snow": "\xe2\x98\x83"})
        check(put, 201)
        self.assertEqual(put.headers["Etag"], hashlib.md5(body).hexdigest())
        check(ask("PUT", "/plain/big", b"x", {"If-None-Match": "*"}), 412)
        check(ask("PUT", "/plain/big", b"x", {"Etag": "0" * 32}), 422)
        self.assertEqual(ask("GET", "/plain/big").body, body)
        part = ask("GET", "/plain/big", headers={"Range": "bytes=1000-1999"})
        check(part, 206)
        self.assertEqual(part.body, body[1000:2000])
        several = ask("GET", "/plain/big", headers={"Range": "bytes=0-9,100-119"})
        check(several, 206)
        self.assertIn(body[100:120], several.body)
        check(ask("GET", "/plain/big", headers={"If-None-Match": put.headers["Etag"]}), 304)
        check(ask("GET", "/plain/big", headers={"If-Match": "other"}), 412)
        check(ask("GET", "/plain/big", headers={"Range": "bytes=99999999-"}), 416)
        check(ask("POST", "/plain/big", headers={"X-Object-Meta-Color": "blue"}), 202)
        head = ask("HEAD", "/plain/big", headers={"X-Newest": "true"})
        check(head, 200)
        self.assertEqual(head.headers["X-Object-Meta-Color"], "blue")
        self.assertNotIn("X-Object-Meta-Snow", head.headers)
        check(ask("PUT", "/plain/a/b", b""), 201)
        check(ask("PUT", "/plain/chunked", iter([b"one", b"two"]), chunked=True), 201)
        self.assertEqual(ask("GET", "/plain/chunked").body, b"onetwo")
        listing = json.loads(ask("GET", "/plain", query={"format": "json", "delimiter": "/"}).body)
        self.assertEqual([row.get("name", row.get("subdir")) for row in listing], ["a/", "big", "chunked"])
        self.assertEqual(listing[1]["bytes"], len(body))
        check(ask("PUT", "/plain/later", b"x", {"X-Delete-After": "3600"}), 201)
        self.assertIn("X-Delete-At", ask("HEAD", "/plain/later").headers)
        check(ask("COPY", "/plain/big", headers={"Destination": "plain/copy"}), 201)
        self.assertEqual(ask("GET", "/plain/copy").body, body)
        check(ask("DELETE", "/plain"), 409)
        for name in ("big", "a/b", "chunked", "later", "copy"):
            check(ask("DELETE", f"/plain/{name}"), 204)
            check(ask("DELETE", f"/plain/{name}"), 404)
            check(ask("GET", f"/plain/{name}"), 404)
        check(ask("DELETE", "/plain"), 204)
        check(ask("GET", "/plain"), 404)

    def test_apus_proxy_over_debians_back_ends(self):
        self.travel({"proxy"})

    def test_debians_proxy_over_apus_back_ends(self):
        self.travel(set(KINDS))

    def test_apus_account_server_alone(self):
        self.travel({"account"})

    def test_apus_container_server_alone(self):
        self.travel({"container"})

    def test_apus_object_server_alone(self):
        self.travel({"object"})

    def test_apus_proxy_and_object_server(self):
        self.travel({"proxy", "object"})

    def test_all_of_apus_in_processes_of_their_own(self):
        self.travel({"proxy", *KINDS})


if __name__ == "__main__":
    unittest.main(verbosity=2)
