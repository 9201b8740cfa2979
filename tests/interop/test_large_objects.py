"""The same requests for large objects to Apus and to Debian's Swift: statuses, headers and bodies agree."""

import hashlib
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import DebianSwift, missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

PIPELINE = ("catch_errors gatekeeper healthcheck proxy-logging cache listing_formats tempauth copy slo dlo "
            "proxy-logging proxy-server")
FILTERS = ("[filter:slo]\nuse = egg:swift#slo\nrate_limit_segments_per_sec = 0\nyield_frequency = 0\n"
           "[filter:dlo]\nuse = egg:swift#dlo\nrate_limit_segments_per_sec = 0\n")
SHOWN = ("Content-Length", "Content-Range", "Content-Type", "Etag", "X-Object-Manifest", "X-Static-Large-Object",
         "X-Manifest-Etag", "Accept-Ranges", "X-Object-Meta-A")
md5 = lambda data: hashlib.md5(data).hexdigest()


def plain(text):
    """Without what no two stores share: moments, boundaries, how many blanks a wait took."""
    text = re.sub(rb"^ +\r\n\r\n", b"", text)
    text = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", b"MOMENT", text)
    text = re.sub(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", b"DATE", text)
    return re.sub(rb"--[0-9a-f]{32}", b"--BOUNDARY", text)


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class LargeObjects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.swift = cls.enterClassContext(DebianSwift(pipeline=PIPELINE, filters=FILTERS))
        cls.apus = cls.enterClassContext(ApusUp())
        cls.apus.stop()
        conf = cls.apus.data / "etc" / "proxy-server.conf"
        text = re.sub(r"(?m)^pipeline = .*$", "pipeline = " + PIPELINE.replace("proxy-logging ", ""), conf.read_text())
        text = re.sub(r"(?ms)^\[filter:[sd]lo\]\n.*?(?=^\[|\Z)", "", text)
        conf.write_text(text + "\n" + FILTERS)
        cls.apus.start()
        cls.clients = [Client(cls.swift.port).authenticate("test:tester", "testing-key"),
                       Client(cls.apus.port).authenticate(ApusUp.USER, ApusUp.KEY)]

    def both(self, method, path, body=None, headers=None, query=None, as_json=False):
        answers = []
        for client in self.clients:
            answer = client.request(method, client.account + path, body, headers, query)
            shown = {name: answer.headers[name] for name in SHOWN if name in answer.headers}
            if "boundary=" in shown.get("Content-Type", ""):
                shown["Content-Type"] = "multipart"
            self.hide_sum_of_moments(client, path, answer, shown)
            answers.append((answer.status, shown, self.rows(answer.body) if as_json else plain(answer.body)))
            # Swift makes some of these answers anew, without a word about ranges.
            if (answer.status // 100 == 4 and answer.status != 416) or any("If-" in name for name in headers or ()):
                shown.pop("Accept-Ranges", None)
            if answer.status == 400:  # where segments are at fault, Swift gives no length
                shown.pop("Content-Length", None)
        self.assertEqual(answers[0], answers[1], f"{method} {path} {headers} {query}")
        return answers[1]

    @staticmethod
    def rows(body):
        """A listing, or what else is JSON; a manifest's sum is no other store's (see below)."""
        rows = json.loads(plain(body))
        for row in rows if isinstance(rows, list) else ():
            if "slo_etag" in row:
                row["hash"] = "its manifest's"
        return rows

    def hide_sum_of_moments(self, client, path, answer, shown):
        """A manifest holds the seconds in which its segments were written, so its sum is one store's own: that of the
        manifest which the store gives."""
        if "X-Static-Large-Object" not in answer.headers:
            return
        manifest = client.request("GET", client.account + path, query={"multipart-manifest": "get"})
        self.assertEqual((manifest.status, manifest.headers["Etag"]), (200, md5(manifest.body)), path)
        shown.update({name: "MANIFEST" for name, value in shown.items() if value == manifest.headers["Etag"]})

    def make(self):
        for container in ("c", "seg"):
            self.both("PUT", f"/{container}")
        for letter in "abcd":
            self.both("PUT", f"/seg/big/x_{letter}", letter.encode() * 5, {"Content-Type": f"text/{letter}"})

    def test_dynamic(self):
        self.make()
        for bad in ("seg", "seg/", "/x", "seg//x", "seg/x?y"):
            self.both("PUT", "/c/dlo", b"", {"X-Object-Manifest": bad})
        self.both("PUT", "/c/dlo", b"manifest", {"X-Object-Manifest": "seg/big%2Fx_", "X-Object-Meta-A": "b",
                                                 "Content-Type": "video/mp4"})
        status, headers, body = self.both("GET", "/c/dlo")
        self.assertEqual((status, body), (200, b"aaaaabbbbbcccccddddd"))
        self.both("HEAD", "/c/dlo")
        self.both("GET", "/c/dlo", query={"multipart-manifest": "get"})
        for wanted in ("bytes=3-11", "bytes=-2", "bytes=19-", "bytes=20-", "bytes=0-0", "bytes=0-1,5-6", "junk"):
            self.both("GET", "/c/dlo", headers={"Range": wanted})
        for name in ("If-Match", "If-None-Match"):
            for value in (headers["Etag"], '"other"', "*"):
                self.both("GET", "/c/dlo", headers={name: value})
                self.both("HEAD", "/c/dlo", headers={name: value})
        self.both("DELETE", "/seg/big/x_a")
        self.assertEqual(self.both("GET", "/c/dlo")[2], b"bbbbbcccccddddd")

    def test_static(self):
        self.make()
        put, get, delete = ({"multipart-manifest": word} for word in ("put", "get", "delete"))
        entry = lambda letter, **more: {"path": f"/seg/big/x_{letter}", **more}
        accept = {"Accept": "application/json"}
        # Swift fails on these with a 500.
        for bad in (b"[3]", b'[{"path": 3}]'):
            answer = self.clients[1].request("PUT", self.clients[1].account + "/c/slo", bad, None, put)
            self.assertEqual(answer.status, 400, bad)
        for bad in (b"{", b"{}", b'[{"path": "/x"}]', b'[{"path": "/a/b", "z": 1}]',
                    b'[{"data": "?"}]', b'[{"data": "WFla"}]', b'[{"path": "/c/slo"}]',
                    b'[{"path": "/a/b", "size_bytes": 0}, {"path": "/a/b"}]', b'[{"path": "/a/b", "range": "x"}]',
                    b'[{"path": "/a/b", "range": "1-2,4-5"}]', b'[{"path": "/a/b", "range": "9-", "size_bytes": 5}]'):
            self.both("PUT", "/c/slo", bad, query=put)
        for kind in ("text/plain", "application/json", "text/xml"):
            # One at a time: Swift names several in the order in which they answered.
            for wrong in (entry("a", etag="x"), entry("zz"), entry("b", range="9-")):
                self.both("PUT", "/c/slo", json.dumps([wrong, entry("c")]), {"Accept": kind}, put)
        self.both("PUT", "/c/slo", json.dumps([entry("a")]), {"Etag": "wrong"}, put)
        manifest = [entry("a", etag=md5(b"aaaaa"), size_bytes=5), entry("b", range="1-3"), {"data": "WFla"}, entry("d")]
        status, _, _ = self.both("PUT", "/c/slo", json.dumps(manifest),
                                 {"Content-Type": "video/mp4", "X-Object-Meta-A": "b"}, put)
        self.assertEqual(status, 201)
        status, headers, body = self.both("GET", "/c/slo")
        self.assertEqual((status, body), (200, b"aaaaabbbXYZddddd"))
        self.both("HEAD", "/c/slo")
        self.both("GET", "/c/slo", query=get, as_json=False)
        self.both("GET", "/c/slo", query={**get, "format": "raw"})
        for wanted in ("bytes=3-9", "bytes=-2", "bytes=15-", "bytes=16-", "bytes=0-1,8-10", "junk"):
            self.both("GET", "/c/slo", headers={"Range": wanted})
        for name in ("If-Match", "If-None-Match"):
            for value in (headers["Etag"], '"other"', "*"):
                self.both("GET", "/c/slo", headers={name: value})
                self.both("HEAD", "/c/slo", headers={name: value})
        outer = [{"path": "/c/slo"}, {"path": "/c/slo", "range": "4-8"}]
        self.both("PUT", "/c/outer", json.dumps(outer), {"Content-Type": "a/b"}, put)
        self.assertEqual(self.both("GET", "/c/outer")[2], b"aaaaabbbXYZdddddabbbX")
        self.both("GET", "/c/outer", headers={"Range": "bytes=6-18"})
        self.both("GET", "/c", query={"format": "json"}, as_json=True)
        self.both("PUT", "/c/copied", b"", {"X-Copy-From": "c/slo", "Content-Type": "a/b"})
        self.both("GET", "/c/copied")
        self.both("PUT", "/c/beat", json.dumps([entry("a")]), {**accept, "Content-Type": "a/b"},
                  {**put, "heartbeat": "on"})
        self.both("DELETE", "/c/none", headers=accept, query=delete)
        self.both("DELETE", "/seg/big/x_c", headers=accept, query=delete)
        self.both("DELETE", "/c/outer", headers=accept, query=delete)
        self.assertEqual(self.both("GET", "/seg")[2], b"big/x_c\n")
        self.both("PUT", "/c/x", b"x", {"X-Static-Large-Object": "true"})


if __name__ == "__main__":
    unittest.main()
