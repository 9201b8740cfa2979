"""curl: ranges, conditionals, chunked bodies, Expect, odd requests."""

import hashlib
import unittest

from journey import Journey, run


class Curl(Journey):
    def setUp(self):
        client = self.client()
        self.token, self.account = client.headers["X-Auth-Token"], client.account
        self.assertIn(client.request("PUT", self.account + "/curl").status, (201, 202))
        self.url = f"http://127.0.0.1:{self.store.port}{self.account}/curl"

    def curl(self, *words, check=True):
        return run("curl", "-sS", "-H", f"X-Auth-Token: {self.token}", *words, check=check).stdout

    def status(self, *words):
        return self.curl("-o", "/dev/null", "-w", "%{http_code}", *words)

    def test_ranges(self):
        body = self.scratch / "range"
        body.write_bytes(bytes(range(256)) * 40)
        self.assertEqual(self.status("-T", body, f"{self.url}/r"), "201")
        self.assertEqual(self.curl("-r", "48-57", f"{self.url}/r"), "0123456789")
        self.assertEqual(self.curl("-r", "-10194", "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                                   f"{self.url}/r"), "206 10194")
        self.assertEqual(self.status("-r", "20000-", f"{self.url}/r"), "416")
        several = self.curl("-r", "48-49,65-66", f"{self.url}/r")
        self.assertIn("Content-Range: bytes 48-49/10240", several)
        self.assertIn("\n\nAB\n", several)

    def test_conditionals(self):
        body = self.scratch / "condition"
        body.write_text("condition")
        etag = hashlib.md5(b"condition").hexdigest()
        self.assertEqual(self.status("-T", body, "-H", "If-None-Match: *", f"{self.url}/c"), "201")
        self.assertEqual(self.status("-T", body, "-H", "If-None-Match: *", f"{self.url}/c"), "412")
        self.assertEqual(self.status("-H", f"If-None-Match: {etag}", f"{self.url}/c"), "304")
        self.assertEqual(self.status("-H", "If-Match: nothing", f"{self.url}/c"), "412")
        self.assertEqual(
            self.status("-H", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", f"{self.url}/c"), "304")
        self.assertEqual(self.status("-T", body, "-H", "Etag: 0123", f"{self.url}/c"), "422")

    def test_chunked_and_expect(self):
        body = self.scratch / "chunked"
        body.write_bytes(b"x" * 3_000_000)
        for header in ("Transfer-Encoding: chunked", "Expect: 100-continue"):
            with self.subTest(header):
                self.assertEqual(self.status("-T", body, "-H", header, f"{self.url}/x"), "201")
                self.assertEqual(self.curl("-o", "/dev/null", "-w", "%{size_download}", f"{self.url}/x"),
                                 "3000000")

    def test_what_is_refused(self):
        self.assertEqual(self.status("-X", "PUT", "-H", "Content-Length:", f"{self.url}/l"), "411")
        self.assertEqual(self.status(f"{self.url}/missing"), "404")
        self.assertEqual(self.status("-X", "BREW", f"{self.url}/x"), "405")
        self.assertEqual(self.status("-H", "X-Auth-Token: wrong", f"{self.url}"), "401")
        self.assertEqual(self.status(f"http://127.0.0.1:{self.store.port}/v1"), "412")
        self.assertEqual(self.status("--path-as-is", f"{self.url}/%00"), "412")

    def test_post_delete_and_expiry(self):
        self.assertEqual(self.status("-X", "PUT", "-d", "x", f"{self.url}/p"), "201")
        self.assertEqual(self.status("-X", "POST", "-H", "X-Object-Meta-A: b", f"{self.url}/p"), "202")
        self.assertIn("X-Object-Meta-A: b", self.curl("-I", f"{self.url}/p"))
        self.assertEqual(self.status("-X", "POST", "-H", "X-Delete-At: 1", f"{self.url}/p"), "400")
        self.assertEqual(self.status("-X", "DELETE", f"{self.url}/p"), "204")
        self.assertEqual(self.status("-X", "DELETE", f"{self.url}/p"), "404")


if __name__ == "__main__":
    unittest.main(verbosity=2)
