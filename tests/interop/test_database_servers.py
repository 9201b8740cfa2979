"""The same requests to the account and container servers of Apus and of Debian's Swift, and their databases
opened by the other side."""

import glob
import json
import os
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_swift import MixedSwift, timestamp  # noqa: E402

SEED = int(os.environ.get("APUS_SEED", "20261124"))
REQUESTS = int(os.environ.get("APUS_REQUESTS", "600"))
VOLATILE = {"date", "connection", "x-trans-id", "x-openstack-request-id", "keep-alive", "server"}
# When the database was made is the server's own clock.
OWN_CLOCK = {"x-timestamp", "x-backend-timestamp"}
CONTAINERS = ["c1", "c2", "\x00res", "ü"]
OBJECTS = ["a", "a/", "a/b", "a/b/c", "a/c", "b/", "b//c", "b0", "é", "zé", "😀", "Z", "a x", "q\"<&>", "b--c", "b--d/e"]
TYPES = ["text/plain", "t/p; charset=x", "t/p; charset=x; swift_bytes=9", "a/b;swift_bytes=77", "application/x",
         "t/q;a=\"b;c\";d=e", "x"]


class Stream:
    """Requests from a seed; each is (port kind, method, path, headers, body, query)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.now = 1_700_000_000

    def pick(self, items):
        return self.random.choice(items)

    def moment(self):
        self.now += self.random.choice((0.1, 0.5, 1))
        shift = self.random.choice((0, 0, 0, 0, -3, -50, 20))
        offset = self.random.choice(("", "", "", "", "_0000000000000001"))
        return timestamp(self.now + shift) + offset

    def query(self):
        query = {}
        for name, values in (("format", ("json", "xml", "plain", "JSON", "other", "")), ("limit", ("0", "1", "2", "5", "10001", "x", "-1")),
                             ("prefix", ("a", "a/", "", "é", "zz", "b", "☃")), ("delimiter", ("/", "b", "//", "é", "--", "-")),
                             ("marker", ("a", "a/b", "b", "z", "☃", "", "a/")), ("end_marker", ("a/b", "b", "z", "x", "b/")),
                             ("reverse", ("true", "on", "false", "x")), ("path", ("", "a", "a/", "zz", "b", "b/"))):
            if self.random.random() < 0.25:
                query[name] = self.pick(values)
        return query or None

    def accept(self):
        return self.pick(("application/json", "text/xml", "application/xml;q=0.5, text/plain", "image/png", "*/*", "text/*",
                          "application/json;q=x", "", "text/plain;q=0.1,application/json;q=0.2", "garbage", "*"))

    def next(self):
        return self.pick((self.object_row, self.object_row, self.object_row, self.container, self.listing, self.listing,
                          self.account, self.account_row, self.shards, self.odd, self.update))()

    def object_row(self):
        path = f"/d1/7/AUTH_a/{self.pick(CONTAINERS)}/{self.pick(OBJECTS)}"
        headers = {"X-Timestamp": self.moment()}
        if self.random.random() < 0.2:
            headers["X-Backend-Storage-Policy-Index"] = self.pick(("0", "1", "1", "7", "x"))
        if self.random.random() < 0.1:
            headers["X-Backend-Accept-Redirect"] = "true"
        if self.random.random() < 0.3:
            return "container", "DELETE", path, headers, None, None
        headers |= {"X-Size": str(self.random.randrange(1000)), "X-Content-Type": self.pick(TYPES), "X-Etag": "e" * 32}
        if self.random.random() < 0.2:
            headers["X-Content-Type-Timestamp"] = self.moment().split("_")[0]
        if self.random.random() < 0.2:
            headers["X-Meta-Timestamp"] = self.moment().split("_")[0]
        return "container", "PUT", path, headers, None, None

    def container(self):
        headers = {"X-Timestamp": self.moment()}
        for name, value in (("X-Container-Meta-Color", "blue"), ("X-Container-Meta-Color", ""), ("X-Container-Read", ".r:*"),
                            ("X-Container-Sysmeta-a1b", "x"), ("X-Backend-Storage-Policy-Index", self.pick("017x")),
                            ("X-Backend-Storage-Policy-Default", self.pick("01")), ("X-Other", "y"),
                            ("X-Container-Sync-To", self.pick(("http://127.0.0.1/v1/a/c", "ftp://x/y", "//r/c/a/c", "//r",
                                                               "http://other/v1", "http://127.0.0.1", "http://127.0.0.1/a?b")))):
            if self.random.random() < 0.12:
                headers[name] = value
        if self.random.random() < 0.03:
            headers |= {f"X-Container-Meta-N{n}": "v" for n in range(91)}
        method = self.pick(("PUT", "PUT", "PUT", "POST", "POST", "DELETE", "HEAD"))
        return "container", method, f"/d1/7/AUTH_a/{self.pick(CONTAINERS)}", headers, None, None

    def listing(self):
        headers = {}
        if self.random.random() < 0.2:
            headers["Accept"] = self.accept()
        if self.random.random() < 0.2:
            headers["X-Backend-Record-Type"] = self.pick(("auto", "object", "other"))
        if self.random.random() < 0.2:
            headers["X-Backend-Storage-Policy-Index"] = self.pick(("0", "1", "8"))
        if self.random.random() < 0.2:
            headers["X-Backend-Allow-Reserved-Names"] = "true"
        if self.random.random() < 0.25:
            return "account", self.pick(("GET", "GET", "HEAD")), "/d1/3/AUTH_b", headers, None, self.query()
        return "container", "GET", f"/d1/7/AUTH_a/{self.pick(CONTAINERS)}", headers, None, self.query()

    def account(self):
        headers = {"X-Timestamp": self.moment()}
        for name, value in (("X-Account-Meta-Color", "blue"), ("X-Account-Meta-Color", ""), ("X-Account-Sysmeta-x9y", "s")):
            if self.random.random() < 0.2:
                headers[name] = value
        method = self.pick(("PUT", "PUT", "POST", "HEAD", "DELETE" if self.random.random() < 0.1 else "GET"))
        return "account", method, f"/d1/3/{self.pick(('AUTH_b', 'AUTH_b', 'AUTH_c'))}", headers, None, None

    def account_row(self):
        put, gone = self.moment(), self.pick(("0", "0", self.moment()))
        headers = {"X-Put-Timestamp": put, "X-Delete-Timestamp": gone, "X-Object-Count": self.pick(("0", "0", "5")),
                   "X-Bytes-Used": "77", "X-Timestamp": self.moment(), "X-Backend-Storage-Policy-Index": self.pick("001")}
        if self.random.random() < 0.1:
            headers["X-Account-Override-Deleted"] = "yes"
        account = self.pick(("AUTH_b", "AUTH_b", "AUTH_none", ".auto"))
        return "account", "PUT", f"/d1/3/{account}/{self.pick(OBJECTS).replace('/', '-')}", headers, None, None

    def range(self, lower, upper, **changes):
        when = self.moment()
        return {"name": f".shards_AUTH_a/s-{lower}-{upper}", "timestamp": when, "lower": lower, "upper": upper, "object_count": 3,
                "bytes_used": 9, "meta_timestamp": when, "deleted": 0, "state": self.pick((10, 20, 30, 40, 50, 60, "active")),
                "state_timestamp": when, "epoch": None, "reported": 0, "tombstones": 2, **changes}

    def shards(self):
        path = f"/d1/7/AUTH_a/{self.pick(('c1', 'sharded'))}"
        headers = {"X-Timestamp": self.moment(), "X-Backend-Record-Type": "shard"}
        if self.random.random() < 0.5:
            query = {}
            for name, values in (("states", ("listing", "updating", "auditing", "active,found", "40", "bad", "cleaved")),
                                 ("marker", ("a", "m")), ("end_marker", ("c", "x")), ("includes", ("b", "n", "zz")),
                                 ("reverse", ("true",)), ("format", ("plain",))):
                if self.random.random() < 0.3:
                    query[name] = self.pick(values)
            query.setdefault("format", "json")
            for name in ("X-Backend-Include-Deleted", "X-Backend-Override-Deleted"):
                if self.random.random() < 0.2:
                    headers[name] = "true"
            return "container", "GET", path, headers, None, query
        ranges = [self.range(*self.pick((("", "b"), ("b", "m"), ("m", ""), ("a", "z"))), deleted=self.pick((0, 0, 1)))
                  for _ in range(self.random.randrange(3))]
        if self.random.random() < 0.1:
            ranges.append(self.pick(({}, "x", {"name": "no"}, self.range("z", "a"), self.range("", "", state=77))))
        headers |= {"X-Backend-Auto-Create": self.pick(("true", "true", "false")), "X-Backend-Storage-Policy-Index": "0",
                    "X-Container-Sysmeta-Shard-Quoted-Root": "AUTH_a/c1"}
        return "container", "PUT", path, headers, json.dumps(ranges), None

    def update(self):
        rows = [{"name": self.pick(OBJECTS), "created_at": self.moment().split("_")[0], "size": 4, "content_type": self.pick(TYPES),
                 "etag": "f" * 32, "deleted": self.pick((0, 0, 1)), "storage_policy_index": 0} for _ in range(3)]
        return "container", "UPDATE", f"/d1/7/AUTH_a/{self.pick(CONTAINERS)}", {"X-Timestamp": self.moment()}, json.dumps(rows), None

    def odd(self):
        kind = self.pick(("account", "container"))
        path = self.pick(("/d1", "/d1/7", "/d1/7/a", "/d1/7/a/b/", "/nope/7/a/b", "/d1/../a/b", "/d1/7/a\x00b/c", "/d1/7/a/b\x00c",
                          "/d1/7/AUTH_a/c1/x\x00y", "/d1/7/AUTH_a/\x00res/plain", "/d1/7//c"))
        method = self.pick(("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "UPDATE"))
        headers = self.pick(({}, {"X-Timestamp": "x"}, {"X-Timestamp": self.moment()}, {"X-Timestamp": "-1"}))
        return kind, method, path, headers, None, None


def comparable(answer):
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in VOLATILE}
    for name in OWN_CLOCK & headers.keys():
        headers[name] = "a moment"
    if "allow" in headers:
        headers["allow"] = ", ".join(sorted(headers["allow"].split(", ")))
    body = answer.body
    if answer.status == 400 and body.startswith(b"Invalid body"):
        body = b"Invalid body"
        headers.pop("content-length", None)
    # The filler range has the moment of the request.
    body = re.sub(rb'"(meta_timestamp|timestamp|state_timestamp)": "17\d{8}\.\d{5}"', rb'"\1": "now"', body) \
        if b"AUTH_a/" in body and b"meta_timestamp" in body else body
    body = re.sub(rb'"last_modified": "20(?!23)[^"]*"', b'"last_modified": "now"', body)
    return answer.status, headers, body


def describe(left, right):
    parts = []
    for what, a, b in (("status", left[0], right[0]), ("body", left[2], right[2])):
        if a != b:
            parts.append(f"    {what}: Swift {str(a)[:400]}\n    {' ' * len(what)}   Apus {str(b)[:400]}")
    for name in sorted(left[1].keys() | right[1].keys()):
        if left[1].get(name) != right[1].get(name):
            parts.append(f"    {name}: Swift {left[1].get(name)!r}, Apus {right[1].get(name)!r}")
    return "\n".join(parts)


def is_known(method, path, headers, left, right):
    """Where Swift trips over itself (500 with a traceback) Apus says what is wrong."""
    return left[0] == 500 and right[0] in (400, 404, 507)


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class DatabaseServers(unittest.TestCase):
    def test_the_same_answers(self):
        print(f"seed {SEED}, {REQUESTS} requests", flush=True)
        stream, different, sides = Stream(SEED), [], ("account", "container")
        with MixedSwift(only=sides) as swift, MixedSwift(apus_kinds=sides, only=sides) as apus:
            clients = [{kind: Client(side.ports[kind]) for kind in sides} for side in (swift, apus)]
            for number in range(REQUESTS):
                kind, method, path, headers, body, query = stream.next()
                answers = [comparable(side[kind].request(method, path, body, headers, query)) for side in clients]
                if answers[0] != answers[1] and not is_known(method, path, headers, *answers):
                    different.append(f"{number}: {kind} {method} {path!r} {headers} {query} {body}\n" + describe(*answers))
            for side in clients:
                for client in side.values():
                    client.close()
            self.same_rows(swift, apus, different)
        if different:
            self.fail(f"{len(different)} of {REQUESTS} answers differ (seed {SEED}):\n" + "\n".join(different[:40]))

    def same_rows(self, swift, apus, different):
        """Debian's brokers find the same rows, hashes and counts in both sides' databases."""
        from swift.account.backend import AccountBroker
        from swift.container.backend import ContainerBroker
        for folder, broker in (("containers", ContainerBroker), ("accounts", AccountBroker)):
            found = []
            for side in (swift, apus):
                rows = {}
                for path in glob.glob(f"{side.devices_root}/d1/{folder}/*/*/*/*.db"):
                    one = broker(path)
                    info = one.get_info()
                    items = [{k: v for k, v in row.items() if k != "ROWID"} for row in one.get_items_since(-1, 10000)]
                    rows[info["account"], info.get("container")] = {
                        "rows": sorted(items, key=str), "metadata": one.metadata, "hash": info["hash"], "put": info["put_timestamp"],
                        "deleted": info["delete_timestamp"], "stats": one.get_policy_stats(), "is_deleted": one.is_deleted(),
                        "policy": info.get("storage_policy_index"), "changed": info["status_changed_at"],
                        "shards": sorted(map(str, one.get_all_shard_range_data())) if folder == "containers" else None}
                found.append(rows)
            self.assertEqual(found[0].keys(), found[1].keys())
            for key, left in found[0].items():
                for part, value in left.items():
                    if value != found[1][key][part]:
                        different.append(f"{folder} {key} {part}: Swift {value}\n   Apus {found[1][key][part]}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
