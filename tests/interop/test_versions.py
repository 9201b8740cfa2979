"""Old versions of objects: what Debian's proxy keeps Apus' finds, and the reverse. Proxies of both kinds stand side by
side over the same back ends: Debian's, then Apus'. Both ways: X-Versions-Location and X-History-Location, and object
versioning with version ids."""

import itertools
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.side_by_side import AskingThroughDoors, SideBySide  # noqa: E402

MARKER = "application/x-deleted;swift_versions_deleted=1"
# What no client can rely on being alike, or what is of one request.
OWN = {"date", "x-trans-id", "x-openstack-request-id", "connection", "keep-alive", "server", "transfer-encoding"}


class Versions(AskingThroughDoors):
    """The tests, for each kind of back ends."""

    apus_back_ends = False

    @classmethod
    def setUpClass(cls):
        cls.open_doors(SideBySide(cls.apus_back_ends))

    def setUp(self):
        self.name = self.id().rpartition(".")[2]
        self.doors = itertools.cycle(self.clients)

    def do(self, method, path, body=None, headers=None, query=None, status=None):
        """Through one proxy, the next time through the other."""
        return self.ask(next(self.doors), method, path, body, headers, query, status)

    def both(self, method, path, headers=None, query=None, status=200):
        """The same through both; they answer alike. Returns one of the answers."""
        answers = [self.ask(door, method, path, None, headers, query, status) for door in self.clients]
        shown = [({name.lower(): value for name, value in answer.headers.items() if name.lower() not in OWN},
                  answer.body) for answer in answers]
        self.assertEqual(shown[0], shown[1], f"{method} {path} {query}")
        return answers[0]

    def rows(self, path, query=None):
        return json.loads(self.both("GET", path, query={"format": "json", **(query or {})}).body)

    def container(self, headers, suffix=""):
        path = f"/{self.name}{suffix}"
        self.do("PUT", path, headers=headers, status=201)
        return path

    def put(self, path, *texts):
        for text in texts:
            self.do("PUT", path, text.encode(), {"X-Object-Meta-Text": text, "Content-Type": f"text/{text}"}, status=201)

    def check(self, path, text, query=None):
        answer = self.both("GET", path, query=query)
        self.assertEqual(answer.body, text.encode())
        self.assertEqual(answer.headers["X-Object-Meta-Text"], text)
        self.assertEqual(answer.headers["Content-Type"], f"text/{text}")

    # Copies in a container that the user names.

    def test_stack(self):
        old = self.container({}, "-old")
        path = self.container({"X-Versions-Location": old[1:]}) + "/o\u2603"
        self.assertEqual(self.both("HEAD", path.rpartition("/")[0], status=204).headers["X-Versions-Location"], old[1:])
        texts = [f"v{number}" for number in range(6)]
        self.put(path, *texts)
        self.check(path, "v5")
        rows = self.rows(old)
        self.assertEqual([row["content_type"] for row in rows], [f"text/{text}" for text in texts[:-1]])
        self.assertTrue(all(row["name"].startswith("004o\u2603/") for row in rows), rows)
        for row, text in zip(rows, texts):
            self.check(f"{old}/{row['name']}", text)
        for text in reversed(texts[:-1]):
            self.do("DELETE", path, status=204)
            self.check(path, text)
            self.assertEqual([row["content_type"] for row in self.rows(old)],
                             [f"text/{one}" for one in texts[:texts.index(text)]])
        self.do("DELETE", path, status=204)
        self.both("GET", path, status=404)
        self.do("DELETE", path, status=404)
        self.assertEqual(self.rows(old), [])

    def test_history(self):
        old = self.container({}, "-old")
        container = self.container({"X-History-Location": old[1:]})
        path = container + "/o"
        self.put(path, "v0", "v1")
        for _ in range(2):  # by each of them
            self.do("DELETE", path, status=204)
            self.both("GET", path, status=404)
            self.put(path, "again")
        kinds = [row["content_type"] for row in self.rows(old)]
        self.assertEqual(kinds, ["text/v0", "text/v1", MARKER, "text/again", MARKER])
        # As a stack: the marker is undone by one, what lay under it comes back.
        self.do("POST", container, headers={"X-Versions-Location": old[1:]}, status=204)
        self.assertEqual(self.both("HEAD", container, status=204).headers["X-Versions-Location"], old[1:])
        self.do("DELETE", path, status=204)
        self.both("GET", path, status=404)
        for text in ("again", None, "v1", "v0"):
            self.do("DELETE", path, status=204)
            if text is None:
                self.both("GET", path, status=404)
            else:
                self.check(path, text)
        self.assertEqual(self.rows(old), [])

    def test_a_manifest_is_kept_as_it_is(self):
        old = self.container({}, "-old")
        path = self.container({"X-Versions-Location": old[1:]}) + "/big"
        segments = self.container({}, "-segments")
        self.put(f"{segments}/s", "segment")
        manifest = json.dumps([{"path": f"{segments}/s"}]).encode()
        for text in ("small", "smaller"):
            self.do("PUT", path, manifest, query={"multipart-manifest": "put"}, status=201)
            self.put(path, text)
            row = self.rows(old)[-1]
            answer = self.both("GET", f"{old}/{row['name']}")
            self.assertEqual((answer.body, answer.headers["X-Static-Large-Object"]), (b"segment", "True"))
            self.do("DELETE", path, status=204)
            self.assertEqual(self.both("GET", path).body, b"segment")

    # Object versioning.

    def versions(self, container, query=None):
        return self.rows(container, {"versions": "", **(query or {})})

    def test_object_versions(self):
        container = self.container({"X-Versions-Enabled": "true"})
        self.assertEqual(self.both("HEAD", container, status=204).headers["X-Versions-Enabled"], "True")
        path = container + "/o\u2603"
        texts = [f"v{number}" for number in range(5)]
        self.put(path, *texts)
        self.check(path, "v4")
        rows = self.versions(container)
        self.assertEqual([row["content_type"] for row in rows], [f"text/{text}" for text in reversed(texts)])
        self.assertEqual([row["is_latest"] for row in rows], [True] + [False] * 4)
        ids = {text: row["version_id"] for text, row in zip(reversed(texts), rows)}
        for text, version in ids.items():
            self.check(path, text, {"version-id": version})
            self.both("HEAD", path, query={"version-id": version})
        # A deleted name leaves a marker, and its versions.
        for _ in range(2):
            self.do("DELETE", path, status=204)
            self.both("GET", path, status=404)
            latest = self.versions(container)[0]
            self.assertEqual((latest["content_type"], latest["is_latest"]), (MARKER, True))
            self.check(path, "v2", {"version-id": ids["v2"]})
            self.do("DELETE", path, query={"version-id": latest["version_id"]}, status=204)
            self.both("GET", path, status=404)
            self.do("PUT", path, b"", query={"version-id": ids["v4"]}, status=201)
            self.check(path, "v4")
        # An older one is made the current one by each of them; one is deleted for good.
        for text in ("v1", "v3"):
            self.do("PUT", path, b"", query={"version-id": ids[text]}, status=201)
            self.check(path, text)
            self.assertEqual([row["version_id"] for row in self.versions(container) if row["is_latest"]], [ids[text]])
        for text in ("v0", "v2"):
            self.do("DELETE", path, query={"version-id": ids[text]}, status=204)
            self.both("GET", path, query={"version-id": ids[text]}, status=404)
        self.assertEqual(sorted(row["version_id"] for row in self.versions(container)),
                         sorted(ids[text] for text in ("v1", "v3", "v4")))
        self.both("DELETE", container, status=409)

    def test_null_versions_and_suspension(self):
        container = self.container({})
        path = container + "/o"
        self.put(path, "before")
        self.do("POST", container, headers={"X-Versions-Enabled": "true"}, status=204)
        self.put(path, "v0", "v1")
        # The first PUT kept it as a version like the others.
        self.both("GET", path, query={"version-id": "null"}, status=404)
        self.assertEqual([row["content_type"] for row in self.versions(container)],
                         ["text/v1", "text/v0", "text/before"])
        self.do("POST", container, headers={"X-Versions-Enabled": "false"}, status=204)
        self.assertEqual(self.both("HEAD", container, status=204).headers["X-Versions-Enabled"], "False")
        for text in ("null0", "null1"):
            self.put(path, text)
            self.check(path, text)
            self.check(path, text, {"version-id": "null"})
            rows = self.versions(container)
            self.assertEqual([row["version_id"] == "null" for row in rows], [True, False, False, False])
            self.assertEqual([row["content_type"] for row in rows],
                             [f"text/{text}", "text/v1", "text/v0", "text/before"])
        self.do("DELETE", path, query={"version-id": "null"}, status=204)
        self.assertEqual([row["content_type"] for row in self.versions(container)],
                         ["text/v1", "text/v0", "text/before"])

    def test_pages_of_versions(self):
        container = self.container({"X-Versions-Enabled": "true"})
        for name in ("a", "b/1", "b/2", "c"):
            self.put(f"{container}/{name}", "v0", "v1", "v2")
        whole = self.versions(container)
        self.assertEqual(len(whole), 12)
        for limit in (1, 2, 5):
            seen, query = [], {}
            for _ in range(20):
                page = self.versions(container, {"limit": limit, **query})
                seen += page
                if not page:
                    break
                query = {"marker": page[-1]["name"], "version_marker": page[-1]["version_id"]}
            self.assertEqual(seen, whole)
        for query in ({"prefix": "b/"}, {"delimiter": "/"}, {"prefix": "b/", "delimiter": "/", "limit": 4},
                      {"marker": "a"}, {"end_marker": "c"}, {"reverse": "true"}):
            self.versions(container, query)

    def test_links_into_versions_are_followed_by_both(self):
        container = self.container({"X-Versions-Enabled": "true"})
        links = self.container({}, "-links")
        for number in range(2):
            self.put(f"{container}/o{number}", "v0", "v1")
            target = f"{container[1:]}/o{number}"
            self.do("PUT", f"{links}/l{number}", b"", {"X-Symlink-Target": target}, status=201)
            self.assertEqual(self.both("GET", f"{links}/l{number}").body, b"v1")


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class OverSwift(Versions, unittest.TestCase):
    pass


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class OverApus(Versions, unittest.TestCase):
    apus_back_ends = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
