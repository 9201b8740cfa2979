"""The same requests to Apus and to Debian's Swift; status, the headers that matter and bodies compared.

APUS_DIFF_SEED and APUS_DIFF_REQUESTS choose another stream; the seed is printed. Known differences are
listed, with their reasons, in doc/differences.md.
"""

import os
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import DebianSwift, missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

SEED = int(os.environ.get("APUS_DIFF_SEED", 1))
REQUESTS = int(os.environ.get("APUS_DIFF_REQUESTS", 1500))

# Values of these differ between any two servers or runs.
VOLATILE = {"date", "x-trans-id", "x-openstack-request-id", "x-timestamp", "last-modified", "server",
            "connection", "keep-alive", "x-auth-token", "x-storage-token", "x-storage-url",
            "x-auth-token-expires", "transfer-encoding", "x-copied-from-last-modified"}
BOUNDARY = re.compile(rb"[0-9a-f]{32}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+")

CONTAINERS = ("c1", "c 2", "c☃3", "c4")
OBJECTS = ("a", "a/b", "a/b/c", "a b", "z%20z", "été", "☃", "x" * 200, "a//b", "b&c=d", "q?r", "😀", "a/", "+plus")
CONTENT_TYPES = ("text/plain", "text/html; charset=utf-8", "application/x-thing;k=v", "", "image/é")
RANGES = ("bytes=0-0", "bytes=0-", "bytes=-5", "bytes=2-4", "bytes=100-200", "bytes=5-2", "bytes=0-1,3-4",
          "bytes=-0", "bytes=a-b", "lines=1-2", "bytes=0-0,2-2,4-4", "bytes=,1-2", "bytes=1-2,")
DATES = ("Fri, 01 Jan 2100 00:00:00 GMT", "Mon, 01 Jan 2001 00:00:00 GMT", "not a date")


class Stream:
    """Requests that depend on the seed alone. `etags` is what both stores agreed on so far."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.etags = ["d41d8cd98f00b204e9800998ecf8427e"]

    def pick(self, values):
        return self.random.choice(values)

    def next(self):
        kind = self.random.random()
        if kind < 0.5:
            return self.object_request()
        if kind < 0.85:
            return self.container_request()
        if kind < 0.95:
            return self.account_request()
        return self.odd_request()

    def object_request(self):
        path = f"/{self.pick(CONTAINERS)}/{self.pick(OBJECTS)}"
        method = self.pick(("PUT", "PUT", "PUT", "GET", "GET", "GET", "HEAD", "POST", "DELETE", "COPY", "OPTIONS"))
        headers, body, query = {}, None, None
        if method == "PUT":
            body = bytes(self.random.choices(range(97, 123), k=self.pick((0, 1, 10, 50, 3000))))
            self.object_metadata(headers)
            if self.random.random() < 0.1:
                headers["Etag"] = self.pick(("0" * 32, "bad"))
            if self.random.random() < 0.1:
                headers["If-None-Match"] = self.pick(("*", "x"))
            if self.random.random() < 0.08:
                headers["X-Copy-From"] = f"/{self.pick(CONTAINERS)}/{self.pick(OBJECTS)}".encode().decode("latin-1")
                body = b""
        elif method == "POST":
            self.object_metadata(headers)
        elif method in ("GET", "HEAD"):
            self.conditions(headers)
        elif method == "COPY":
            headers["Destination"] = self.pick(("c1/copy", "/c4/copied", "c1", "", "missing/x", "c1/a%20b"))
            if self.random.random() < 0.3:
                headers["X-Fresh-Metadata"] = "true"
        return method, path, headers, body, query

    def object_metadata(self, headers):
        content_type = self.pick(CONTENT_TYPES)
        if self.random.random() < 0.7:
            headers["Content-Type"] = content_type.encode().decode("latin-1")
        for name, value in (("X-Object-Meta-Color", "blue"), ("x-object-meta-a_b", " padded "),
                            ("X-Object-Meta-Snow", "☃"), ("X-Object-Meta-Empty", ""),
                            ("X-Object-Meta-" + "n" * 129, "v"), ("X-Object-Meta-Long", "v" * 257),
                            ("Content-Encoding", "gzip"), ("Content-Disposition", "attachment"),
                            ("X-Delete-At", "1"), ("X-Delete-At", "x"), ("X-Delete-After", "-1"),
                            ("X-Delete-After", "3600"), ("Cache-Control", "no-cache"),
                            ("X-Object-Sysmeta-A", "hidden"), ("X-Backend-B", "hidden"),
                            ("X-Object-Transient-Sysmeta-C", "hidden"), ("X-Robots-Tag", "none")):
            if self.random.random() < 0.07:
                headers[name] = value.encode().decode("latin-1")

    def conditions(self, headers):
        if self.random.random() < 0.4:
            headers["Range"] = self.pick(RANGES)
        for name in ("If-Match", "If-None-Match"):
            if self.random.random() < 0.12:
                headers[name] = self.pick(("*", "nothing", self.pick(self.etags), f'"{self.pick(self.etags)}"',
                                           f'"a", "{self.pick(self.etags)}"'))
        for name in ("If-Modified-Since", "If-Unmodified-Since"):
            if self.random.random() < 0.08:
                headers[name] = self.pick(DATES)
        if self.random.random() < 0.05:
            headers["X-Newest"] = "true"

    def container_request(self):
        path = f"/{self.pick(CONTAINERS)}"
        method = self.pick(("GET",) * 8 + ("PUT", "PUT", "HEAD", "POST", "DELETE", "OPTIONS"))
        headers, query = {}, None
        if method in ("PUT", "POST"):
            for name, value in (("X-Container-Meta-Color", "blue"), ("X-Container-Meta-Color", ""),
                                ("X-Remove-Container-Meta-Color", "x"), ("X-Container-Read", ".r:*,.rlistings"),
                                ("X-Container-Read", ".r:"), ("X-Container-Write", ".r:*"),
                                ("X-Container-Write", "test:tester"), ("X-Container-Sysmeta-A", "hidden"),
                                ("X-Storage-Policy", "nothing"), ("X-Container-Meta-" + "n" * 129, "v"),
                                ("X-Container-Meta-Quota-Bytes", "x"),
                                ("X-Container-Meta-Access-Control-Allow-Origin", "http://a")):
                if self.random.random() < 0.1:
                    headers[name] = value
        elif method == "GET":
            query = self.listing_query()
            if self.random.random() < 0.3:
                headers["Accept"] = self.pick(("application/json", "text/xml", "application/xml;q=0.5, text/plain",
                                               "image/png", "*/*", "text/*", "application/json;q=x", ""))
        return method, path, headers, None, query

    def listing_query(self):
        query = {}
        for name, values in (("format", ("json", "xml", "plain", "JSON", "other")),
                             ("limit", ("0", "1", "2", "5", "10001", "x", "-1")),
                             ("prefix", ("a", "a/", "", "é", "zz", "b", "☃")),
                             ("delimiter", ("/", "b", "//", "é")), ("marker", ("a", "a/b", "b", "z", "☃", "")),
                             ("end_marker", ("a/b", "b", "z", "x")), ("reverse", ("true", "on", "false", "x")),
                             ("path", ("", "a", "a/", "zz"))):
            if self.random.random() < 0.25:
                query[name] = self.pick(values)
        return query or None

    def account_request(self):
        method = self.pick(("GET", "GET", "GET", "HEAD", "POST", "OPTIONS"))
        headers, query = {}, self.listing_query() if method == "GET" else None
        if method == "POST" and self.random.random() < 0.5:
            headers[self.pick(("X-Account-Meta-Color", "X-Remove-Account-Meta-Color", "X-Account-Meta-"))] = "blue"
        return method, "", headers, None, query

    def odd_request(self):
        path = self.pick(("/c1//", "/" + "c" * 257, "/c1/" + "o" * 1025, "//", "/c1/\x00", "/c1/a\udcff"))
        return self.pick(("GET", "PUT", "HEAD", "DELETE", "PATCH", "UPDATE")), path, {}, None, None


def comparable(answer):
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in VOLATILE}
    for name in ("content-type", "location"):
        if name in headers:
            headers[name] = BOUNDARY.sub(b"*", headers[name].encode("latin-1", "replace")).decode("latin-1")
            headers[name] = re.sub(r"127\.0\.0\.1:\d+", "HOST", headers[name])
    if "allow" in headers:  # Swift's order is that of a Python set
        headers["allow"] = ", ".join(sorted(headers["allow"].split(", ")))
    return answer.status, answer.reason, headers, BOUNDARY.sub(b"*", answer.body)


def describe(left, right):
    parts = []
    for what, a, b in (("status", left[0], right[0]), ("reason", left[1], right[1]), ("body", left[3], right[3])):
        if a != b:
            parts.append(f"    {what}: Swift {str(a)[:300]}\n    {' ' * len(what)}   Apus {str(b)[:300]}")
    for name in sorted(left[2].keys() | right[2].keys()):
        if left[2].get(name) != right[2].get(name):
            parts.append(f"    {name}: Swift {left[2].get(name)!r}, Apus {right[2].get(name)!r}")
    return "\n".join(parts)


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Differential(unittest.TestCase):
    def test_the_same_answers(self):
        print(f"seed {SEED}, {REQUESTS} requests", flush=True)
        stream, different = Stream(SEED), []
        with DebianSwift() as swift, ApusUp() as apus:
            left = Client(swift.port).authenticate(ApusUp.USER, ApusUp.KEY)
            right = Client(apus.port).authenticate(ApusUp.USER, ApusUp.KEY)
            for container in CONTAINERS:
                for client in (left, right):
                    client.request("PUT", f"{client.account}/{container}")
            for number in range(REQUESTS):
                method, path, headers, body, query = stream.next()
                answers = []
                for client in (left, right):
                    path_bytes = (client.account + path).encode("utf-8", "surrogateescape")
                    answers.append(comparable(client.request(method, path_bytes, body, headers, query)))
                if answers[0] != answers[1]:
                    different.append(f"{number}: {method} {path[:60]!r} {headers} {query} body={body and len(body)}\n"
                                     + describe(*answers))
                elif method == "PUT" and "etag" in answers[0][2]:
                    stream.etags.append(answers[0][2]["etag"])
        if different:
            self.fail(f"{len(different)} of {REQUESTS} answers differ (seed {SEED}):\n" + "\n".join(different[:60]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
