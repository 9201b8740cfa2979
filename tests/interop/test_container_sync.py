"""Containers kept alike in two clusters, one of Debian's servers and one of Apus's, by sync daemons of both kinds: into
the other cluster by realm and by URL with a key, and into another container of the same one."""

import json
import pathlib
import re
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import KINDS, missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_swift import MixedSwift  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

EVERYTHING = (*KINDS, "proxy")
# Without the second line a key alone lets nobody in: the sender's time would not be seen.
GATEKEEPER = "[filter:gatekeeper]\nuse = egg:swift#gatekeeper\nshunt_inbound_x_timestamp = false\n"
LARGE = b"0123456789" * 30_000
WAYS = ("realm", "key", "own")


class Cluster(MixedSwift):
    def __init__(self, apus):
        super().__init__(apus_kinds=EVERYTHING if apus else (), filters=GATEKEEPER)

    def write(self):
        super().write()
        shutil.copy(self.conf / "object.ring.gz", self.conf / "object-1.ring.gz")
        (self.conf / "internal-client.conf").write_text(
            f"[DEFAULT]\nswift_dir = {self.conf}\n[pipeline:main]\npipeline = catch_errors cache symlink proxy-server\n"
            "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\nnode_timeout = 60\nconn_timeout = 20\n"
            "[filter:catch_errors]\nuse = egg:swift#catch_errors\n[filter:symlink]\nuse = egg:swift#symlink\n"
            f"[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = {self.memcache}\n")

    def sync(self, maker):
        """A pass of a sync daemon; what it said."""
        run = self.run_apus_daemon if maker == "apus" else self.run_daemon
        return run("container", "container-sync", log_level="DEBUG", conn_timeout=20,
                   internal_client_conf_path=self.conf / "internal-client.conf")

    def points(self, container):
        """x_container_sync_point1, _point2 and the last row of a container."""
        for path in pathlib.Path(self.devices_root).glob("d1/containers/*/*/*/*.db"):
            database = sqlite3.connect(path)
            try:
                found = database.execute("SELECT x_container_sync_point1, x_container_sync_point2, (SELECT max(ROWID) FROM "
                                         "object) FROM container_info WHERE container = ?", (container,)).fetchone()
            finally:
                database.close()
            if found:
                return found
        raise RuntimeError(f"no {container}")


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Syncs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.clusters = {"debian": cls.enterClassContext(Cluster(False)), "apus": cls.enterClassContext(Cluster(True))}
        realms = "[FRIENDS]\nkey = our secret\nkey2 = the next one\n" + "".join(
            f"cluster_{name} = http://127.0.0.1:{cluster.port}/v1/\n" for name, cluster in cls.clusters.items())
        for cluster in cls.clusters.values():
            (cluster.conf / "container-sync-realms.conf").write_text(realms)
            for kind in ("proxy", "container"):  # Debian's look at the file again after minutes
                cluster.children.pop(kind).stop()
            cluster.start(("container", "proxy"))

    def client(self, name):
        client = Client(self.clusters[name].port, timeout=60).authenticate(ApusUp.USER, ApusUp.KEY)
        self.addCleanup(client.close)
        return client

    def ask(self, client, method, path, body=None, wanted=(200, 201, 202, 204), query=None, **headers):
        answer = client.request(method, f"/v1/AUTH_test/{path}", body,
                                {name.replace("_", "-"): value for name, value in headers.items()}, query)
        self.assertIn(answer.status, wanted, f"{method} {path}: {answer}")
        return answer

    def listing(self, client, container):
        rows = json.loads(self.ask(client, "GET", container, query={"format": "json"}).body)
        return {row["name"]: (row["hash"], row["bytes"], row["content_type"], row["last_modified"]) for row in rows}

    def heads(self, client, container, names):
        kept = lambda name: name.lower() in ("x-timestamp", "content-type", "content-encoding", "etag", "content-length",
                                             "x-symlink-target", "x-static-large-object") or "-meta-" in name.lower()
        return {name: {key.lower(): value for key, value in self.ask(
            client, "HEAD", f"{container}/{name}", query={"symlink": "get", "multipart-manifest": "get"}).headers.items()
            if kept(key)} for name in names}

    def put(self, source, container, way):
        put = lambda name, body=b"some bytes", **headers: self.ask(source, "PUT", f"{container}/{name}", body, **headers)
        put("plain ü?", Content_Type="text/x-odd; charset=utf-8", X_Object_Meta_Color="blau")
        put("empty", b"")
        put("large", LARGE, Content_Encoding="none")
        put("posted")
        self.ask(source, "POST", f"{container}/posted", X_Object_Meta_Color="rot", Content_Type="text/posted")
        put("to go")
        put("never there")
        self.ask(source, "DELETE", f"{container}/never there")
        names = ["plain ü?", "empty", "large", "posted"]
        if way == "realm":  # a key alone does not vouch for what manifests and links lead to
            segment = put("piece", LARGE).headers["Etag"].strip('"')
            manifest = json.dumps([{"path": f"/{container}/piece", "etag": segment, "size_bytes": len(LARGE)}])
            put("manifest", manifest.encode(), query={"multipart-manifest": "put"})
            put("link", b"", X_Symlink_Target=f"{container}/large", Content_Type="application/symlink")
            names += ["piece", "manifest", "link"]
        return names

    def prepare(self, home, maker, way):
        """A container with objects, and the one that it is synced to."""
        away = {"debian": "apus", "apus": "debian"}[home] if way != "own" else home
        start, end = self.client(home), self.client(away)
        here = f"from-{home}-{maker}-{way}"
        there = here if way != "own" else f"copy-of-{here}"
        url = (f"//friends/{away}/AUTH_test/{there}" if way == "realm" else
               f"http://127.0.0.1:{self.clusters[away].port}/v1/AUTH_test/{there}")
        # A key alone lets nobody look at what is there, as the daemons do first.
        readable = {} if way == "realm" else {"X_Container_Read": ".r:*"}
        self.ask(end, "PUT", there, X_Container_Sync_Key="the users", **readable)
        self.ask(start, "PUT", here, X_Container_Sync_Key="the users", X_Container_Sync_To=url)
        names = self.put(start, here, way)
        self.ask(start, "PUT", f"{here}/older", b"old")
        self.ask(end, "PUT", f"{there}/older", b"newer")
        return way, start, here, end, there, names

    def travel(self, home, maker):
        journeys = [self.prepare(home, maker, way) for way in WAYS]
        said = self.sync(home, maker, {here: (len(names) + 1, 1) for _, _, here, _, _, names in journeys})
        lasts = {}
        for way, start, here, end, there, names in journeys:
            self.assertEqual(self.heads(end, there, names), self.heads(start, here, names), said)
            for name, body in (("older", b"newer"), ("large", LARGE), *(
                    (name, LARGE) for name in ("manifest", "link") if way == "realm")):
                self.assertEqual(self.ask(end, "GET", f"{there}/{name}").body, body)
            point1, point2, last = self.clusters[home].points(here)
            self.assertEqual((point1, point2), (last, -1))
            lasts[here] = last
            self.ask(start, "DELETE", f"{here}/to go")
            self.ask(start, "PUT", f"{here}/posted", b"again")
        # What was sent is looked at once more, but not sent; deletions are. Debian's looks at what a link leads to, and
        # sends the link again.
        self.sync(home, maker, {here: (1 + (maker == "debian" and way == "realm"), 1 + 1)
                                for way, _, here, *_ in journeys})
        self.sync(home, maker, {here: (0, 1) for _, _, here, *_ in journeys})
        self.sync(home, maker, {here: (0, 0) for _, _, here, *_ in journeys})
        for way, start, here, end, there, names in journeys:
            self.assertEqual(self.clusters[home].points(here), (lasts[here] + 2,) * 3)
            found, wanted = self.listing(end, there), self.listing(start, here)
            self.assertEqual(set(found), set(wanted))
            self.assertNotIn("to go", found)
            for name in wanted:
                if name not in ("older", "manifest"):
                    self.assertEqual(found[name], wanted[name], name)
            self.ask(start, "POST", here, X_Container_Sync_To="", X_Container_Sync_Key="")

    def sync(self, home, maker, wanted):
        """A pass; `wanted` is, for each container that is synced, how many puts and deletes."""
        said = self.clusters[home].sync(maker)
        found = re.findall(r"Container sync report: AUTH_test/(\S+), .*puts: (\d+), .*deletes: (\d+),", said)
        if maker == "apus":  # Debian's goes on counting from container to container
            self.assertEqual({name: (int(puts), int(deletes)) for name, puts, deletes in found}, wanted, said)
        self.assertEqual({name for name, *_ in found}, set(wanted), said)
        puts, deletes = (sum(numbers) for numbers in zip(*wanted.values()))
        self.assertRegex(said, rf"Since .*: {len(wanted)} synced \[{deletes} deletes, {puts} puts\], 0 skipped, 0 failed")
        self.assertEqual([line for line in said.splitlines() if re.search("ERROR|Traceback", line)], [], said)
        return said

    def test_every_way_by_both(self):
        for home in self.clusters:
            for maker in ("debian", "apus"):
                with self.subTest(home=home, maker=maker):
                    self.travel(home, maker)

    def test_what_cannot_be_sent_is_tried_again(self):
        """A wrong key, then the right one: what failed is behind the second sync point, and comes."""
        for maker in ("debian", "apus"):
            with self.subTest(maker=maker):
                start, end = self.client("debian"), self.client("apus")
                name = f"late-{maker}"
                self.ask(end, "PUT", name, X_Container_Sync_Key="another")
                self.ask(start, "PUT", name, X_Container_Sync_Key="the users",
                         X_Container_Sync_To=f"//friends/apus/AUTH_test/{name}")
                self.ask(start, "PUT", f"{name}/o", b"bytes")
                said = self.clusters["debian"].sync(maker)
                self.assertRegex(said, r"Since .*: 1 synced \[0 deletes, 0 puts\], 0 skipped, 1 failed")
                self.ask(end, "POST", name, X_Container_Sync_Key="the users")
                self.sync("debian", maker, {name: (1, 0)})
                self.assertEqual(self.ask(end, "GET", f"{name}/o").body, b"bytes")
                self.ask(start, "POST", name, X_Container_Sync_To="", X_Container_Sync_Key="")


if __name__ == "__main__":
    unittest.main(verbosity=2)
