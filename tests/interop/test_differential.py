"""The same requests to Apus and to Debian's Swift; status, the headers that matter and bodies compared.

APUS_DIFF_SEED and APUS_DIFF_REQUESTS choose another stream; the seed is printed. Differences that stay are
listed, with their reasons, in doc/differences.md and known to `same` below.
"""

import http.client
import os
import pathlib
import random
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import DebianSwift, missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

SEED = int(os.environ.get("APUS_DIFF_SEED", 1))
REQUESTS = int(os.environ.get("APUS_DIFF_REQUESTS", 1500))

http.client._MAXHEADERS = 1000  # answers of 90 metadata fields and what comes with them

# Values of these differ between any two servers or runs.
VOLATILE = {"date", "x-trans-id", "x-openstack-request-id", "x-timestamp", "last-modified", "server",
            "connection", "keep-alive", "x-auth-token", "x-storage-token", "x-storage-url",
            "x-auth-token-expires", "transfer-encoding", "x-copied-from-last-modified"}
SETS = ("allow", "access-control-allow-methods", "access-control-allow-headers", "access-control-expose-headers")
VERSION = re.compile(rb"/\d{10}\.\d{5}")  # old versions are named by the moment they were written
BOUNDARY = re.compile(rb"[0-9a-f]{32}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+")

CONTAINERS = ("c1", "c 2", "c☃3", "c4")
OBJECTS = ("a", "a/b", "a/b/c", "a b", "z%20z", "été", "☃", "x" * 200, "a//b", "b&c=d", "q?r", "😀", "a/", "+plus",
           "é" * 1024, ".", "..", "a/../b", "index.html", "photo.JPG", "notes.tar.gz", "a%2Fb", "tab\there", "\x7f")
CONTENT_TYPES = ("text/plain", "text/html; charset=utf-8", "application/x-thing;k=v", "", "image/é")
RANGES = ("bytes=0-0", "bytes=0-", "bytes=-5", "bytes=2-4", "bytes=100-200", "bytes=5-2", "bytes=0-1,3-4",
          "bytes=-0", "bytes=a-b", "lines=1-2", "bytes=0-0,2-2,4-4", "bytes=,1-2", "bytes=1-2,")
ORIGINS = ("http://a", "http://b", "null")
USERS = {"owner": "test:tester:testing-key:.admin", "reader": "test:reader:reading:readers", "other": "other:user:others:.admin",
         "root": "root:boss:reseller:.reseller_admin", "nobody": None}
DATES = ("Fri, 01 Jan 2100 00:00:00 GMT", "Mon, 01 Jan 2001 00:00:00 GMT", "not a date")


class Stream:
    """Requests that depend on the seed alone. `etags` is what both stores agreed on so far."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.etags = ["d41d8cd98f00b204e9800998ecf8427e"]

    def pick(self, values):
        return self.random.choice(values)

    def next(self):
        """(user, method, path below the account or "!" and a whole path, headers, body, query)"""
        kind = self.random.random()
        user = "owner"
        if kind < 0.45:
            request = self.object_request()
        elif kind < 0.75:
            request = self.container_request()
        elif kind < 0.82:
            request = self.account_request()
        elif kind < 0.93:
            # Who is not the owner reads, writes and lists by ACLs.
            user = self.pick(("reader", "other", "nobody", "root"))
            request = self.object_request() if self.random.random() < 0.6 else self.container_request()
        elif kind < 0.96:
            request = self.cross_origin_request()
        else:
            request = self.odd_request()
        return user, *request

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
                            ("X-Object-Transient-Sysmeta-C", "hidden"), ("X-Robots-Tag", "none"),
                            ("X-Object-Meta-", "v"), ("X-Detect-Content-Type", "true"),
                            ("X-Object-Manifest", "c1/a"), ("Expires", "soon"), ("Content-Language", "en"),
                            ("X-Remove-Object-Meta-Color", "x"), ("X-Timestamp", "1"), ("X-Static-Large-Object", "True"),
                            ("X-Delete-At", "9999999999"), ("X-Delete-At", "1_000"), ("X-Delete-At", "")):
            if self.random.random() < 0.05:
                headers[name] = value.encode().decode("latin-1")
        if self.random.random() < 0.02:
            for number in range(self.pick((90, 91))):
                headers[f"X-Object-Meta-N{number}"] = "v"
        if self.random.random() < 0.02:
            for number in range(17):
                headers[f"X-Object-Meta-Big{number}"] = "v" * 250

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
                                ("X-Container-Meta-Access-Control-Allow-Origin", "http://a"),
                                ("X-Container-Meta-Access-Control-Allow-Origin", "*"),
                                ("X-Container-Meta-Access-Control-Max-Age", "60"),
                                ("X-Container-Meta-Access-Control-Expose-Headers", "X-Foo x-bar"),
                                ("X-Container-Read", "test:reader,.rlistings"), ("X-Container-Write", "test:reader"),
                                ("X-Container-Read", "other:user"), ("X-Container-Read", "-"), ("X-Container-Read", ""),
                                ("X-Remove-Container-Read", "x"), ("X-Storage-Policy", "policy-0"),
                                ("X-Container-Sync-To", "http://127.0.0.1/v1/a/b"), ("X-Container-Sync-Key", "k"),
                                ("X-Container-Meta-Temp-URL-Key", "k"), ("X-Versions-Location", "c1"),
                                ("X-Container-Meta-", "v"), ("X-Container-Sharding", "true")):
                if self.random.random() < 0.06:
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

    def cross_origin_request(self):
        path = f"/{self.pick(CONTAINERS)}" + (f"/{self.pick(OBJECTS)}" if self.random.random() < 0.7 else "")
        headers = {"Origin": self.pick(ORIGINS)}
        method = self.pick(("OPTIONS", "OPTIONS", "GET", "HEAD", "DELETE"))
        if method == "OPTIONS" and self.random.random() < 0.8:
            headers["Access-Control-Request-Method"] = self.pick(("GET", "PUT", "COPY", "TRACE", ""))
            headers["Access-Control-Request-Headers"] = self.pick(("x-auth-token, x-object-meta-a", "", "a,a , b"))
        return method, path, headers, None, None

    def odd_request(self):
        path = self.pick(("/c1//", "/" + "c" * 257, "/" + "é" * 257, "/c1/" + "o" * 1025, "//", "/c1/\x00", "/c1/a\udcff",
                          "/c1\udcff", "//o", "///", "/missing", "/missing/o", "/c1/", "!/", "!//", "!/v1", "!/v1/",
                          "!/v1//c", "!/v2/AUTH_test", "!/v1.0/AUTH_test/c1", "!/v1/AUTH_other/c1", "!/v1/AUTH_" + "a" * 300,
                          "!/v1/.secret/c", "!/nothing", "!/v1/AUTH_test/c1?x"))
        headers = {}
        if self.random.random() < 0.2:
            headers[self.pick(("X-Object-Meta-Huge", "X-Container-Meta-Huge", "X-Other"))] = "h" * self.pick((8000, 8193))
        query = {self.pick(("bulk-delete", "format", "x")): "y"} if self.random.random() < 0.2 else None
        method = self.pick(("GET", "PUT", "HEAD", "DELETE", "PATCH", "UPDATE", "POST", "REPLICATE", "OPTIONS", "TRACE"))
        return method, path, headers, b"odd" if method == "PUT" else None, query


def comparable(answer):
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in VOLATILE}
    for name in ("content-type", "location"):
        if name in headers:
            headers[name] = BOUNDARY.sub(b"*", headers[name].encode("latin-1", "replace")).decode("latin-1")
            headers[name] = re.sub(r"127\.0\.0\.1:\d+", "HOST", headers[name])
    for name in SETS:  # Swift's order is that of a Python set
        if name in headers:
            headers[name] = ", ".join(sorted(headers[name].split(", ")))
    return answer.status, answer.reason, headers, VERSION.sub(b"/*", BOUNDARY.sub(b"*", answer.body))


def describe(left, right):
    parts = []
    for what, a, b in (("status", left[0], right[0]), ("reason", left[1], right[1]), ("body", left[3], right[3])):
        if a != b:
            parts.append(f"    {what}: Swift {str(a)[:300]}\n    {' ' * len(what)}   Apus {str(b)[:300]}")
    for name in sorted(left[2].keys() | right[2].keys()):
        if left[2].get(name) != right[2].get(name):
            parts.append(f"    {name}: Swift {left[2].get(name)!r}, Apus {right[2].get(name)!r}")
    return "\n".join(parts)


PART_TYPE = re.compile(rb"(?m)^Content-Type: ([^\r]*)\r$")


def encoded_twice(answer):
    """`answer` with the types of its parts as Swift spells them when they are not ASCII."""
    status, reason, headers, body = answer
    twice = PART_TYPE.sub(lambda found: b"Content-Type: " + found[1].decode("latin-1").encode() + b"\r", body)
    size = int(headers["content-length"]) + len(twice) - len(body)
    return status, reason, {**headers, "content-length": str(size)}, twice


def with_moment_of(swifts, ours):
    """`ours` with Swift's X-Delete-At where both made it of an X-Delete-After, a second or two apart."""
    left, right = (answer[2].get("x-delete-at", "") for answer in (swifts, ours))
    if left.isdigit() and right.isdigit() and abs(int(left) - int(right)) <= 2:
        return (*ours[:2], {**ours[2], "x-delete-at": left}, ours[3])
    return ours


def same(path, swifts, ours):
    """Equal, but for what doc/differences.md tells of paths that go on after an empty container, and of the
    types in answers of several ranges."""
    if swifts[:2] == (400, "Header Line Too Long"):
        return ours[0] == 400
    if swifts[0] == ours[0] == 206 and ours[2].get("content-type", "").startswith("multipart/byteranges"):
        return swifts in (ours, encoded_twice(ours))
    if path in ("//", "///"):
        return ours[0] in (404, 405, 412) or swifts == ours or b"Response Status: 404 Not Found" in ours[3]
    if swifts[0] == 500 and ours[0] == 416:  # a range of the last 0 bytes
        return True
    return swifts == with_moment_of(swifts, ours)


class Store:
    """One of the two, seen by each user."""

    def __init__(self, port):
        self.clients = {}
        for user, words in USERS.items():
            self.clients[user] = Client(port)
            if words is not None:
                self.clients[user].authenticate(":".join(words.split(":")[:2]), words.split(":")[2])
        self.account = self.clients["owner"].account

    def ask(self, user, method, path, headers, body, query):
        whole = path[1:] if path.startswith("!") else self.account + path
        return comparable(self.clients[user].request(method, whole.encode("utf-8", "surrogateescape"), body, headers,
                                                     query))


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Differential(unittest.TestCase):
    def test_the_same_answers(self):
        print(f"seed {SEED}, {REQUESTS} requests", flush=True)
        stream, different = Stream(SEED), []
        if os.access("/dev/shm", os.W_OK):  # all metadata fits an inode there
            tempfile.tempdir = "/dev/shm"
        users = [words for words in USERS.values() if words]
        arguments = [part for words in users for part in ("--user", words)]
        with DebianSwift(users=users) as swift, ApusUp(*arguments) as apus:
            apus.restart_without_daemons()
            left, right = Store(swift.port), Store(apus.port)
            for container in CONTAINERS:
                for store in (left, right):
                    store.ask("owner", "PUT", f"/{container}", {}, None, None)
            for number in range(REQUESTS):
                request = user, method, path, headers, body, query = stream.next()
                swifts, ours = left.ask(*request), right.ask(*request)
                if not same(path, swifts, ours):
                    different.append(f"{number}: {user} {method} {path[:60]!r} { {n: v[:80] for n, v in headers.items()} }"
                                     f" {query} body={body and len(body)}\n" + describe(swifts, ours))
                elif method == "PUT" and "etag" in swifts[2]:
                    stream.etags.append(swifts[2]["etag"])
            logs = "".join(f"{path.name}:\n{path.read_text(errors='replace')[-2000:]}\n"
                           for path in sorted((apus.data / "log").iterdir()))
        if different:
            self.fail(f"{len(different)} of {REQUESTS} answers differ (seed {SEED}):\n" + "\n".join(different[:60]) + "\n" + logs)


if __name__ == "__main__":
    unittest.main(verbosity=2)
