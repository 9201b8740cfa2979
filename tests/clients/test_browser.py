"""A browser: web sites out of containers, upload forms, scripts of other origins."""

import hashlib
import hmac
import html
import random
import time
import unittest
import urllib.parse

from journey import Journey
from harness.browser import SECONDS, Chromium, Pages, need_chromium

need_chromium()

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402


chromium = Chromium()  # one for all; each class has a store, so an origin, of its own


def setUpModule():
    unittest.addModuleCleanup(chromium.close)
    chromium.start()


class Browser(Journey):
    """A foreign origin beside the store."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = chromium.driver
        cls.pages = Pages()
        cls.addClassCleanup(cls.pages.close)
        cls.root = f"http://127.0.0.1:{cls.store.port}"

    def setUp(self):
        self.api = self.client()

    def put(self, container, name, body, **headers):
        fields = {field.replace("_", "-"): value for field, value in headers.items()}
        answer = self.api.request("PUT", f"{self.api.account}/{container}/{name}", body, fields)
        self.assertEqual(answer.status, 201, answer)

    def make_container(self, name, **headers):
        fields = {field.replace("_", "-"): value for field, value in headers.items()}
        answer = self.api.request("PUT", f"{self.api.account}/{name}", headers=fields)
        self.assertIn(answer.status, (201, 202), answer)
        return f"{self.root}{self.api.account}/{name}"

    def bytes_of(self, path):
        answer = self.api.request("GET", self.api.account + path)
        self.assertEqual(answer.status, 200, answer)
        return answer.body

    def status(self):
        """Of the page shown, as its server gave it."""
        return self.driver.execute_script(
            "return performance.getEntriesByType('navigation')[0].responseStatus")

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def until(self, what):
        return WebDriverWait(self.driver, SECONDS).until(lambda driver: what())

    def leave_by(self, element):
        """Clicks and waits until another page is there whole."""
        before = self.driver.current_url
        element.click()
        self.until(lambda: self.driver.current_url != before and self.driver.execute_script(
            "return document.readyState") == "complete")

    def click(self, link):
        self.leave_by(self.driver.find_element(By.LINK_TEXT, link))


class WebSite(Browser):
    CSS = "h1 {color: rgb(1, 2, 3)} #listing {width: 777px}"
    # What a link in a page must escape, and what a browser reads otherwise when it is not.
    ODD = ("été ☃.txt", "plus+and%20percent?.txt", "a:b.txt", "hash#mark.txt", "semi;colon&amp;.txt",
           "<b>'quoted\".txt", "back\\slash.txt")

    def setUp(self):
        super().setUp()
        self.site = self.make_container(
            "site", X_Container_Read=".r:*,.rlistings", X_Container_Meta_Web_Index="index.html",
            X_Container_Meta_Web_Error="error.html", X_Container_Meta_Web_Listings="true",
            X_Container_Meta_Web_Listings_CSS="style/listing.css")
        page = {"Content_Type": "text/html; charset=utf-8"}
        text = {"Content_Type": "text/plain; charset=utf-8"}
        self.put("site", "index.html", "<link rel=stylesheet href='style/listing.css'>"
                 "<h1>Welcome</h1><a href='docs/next.html'>next</a>".encode(), **page)
        self.put("site", "docs/next.html", b"<h1>Next</h1><a href='./'>docs</a><a href='../'>home</a>",
                 **page)
        self.put("site", "docs/index.html", b"<h1>Docs</h1>", **page)
        self.put("site", "404error.html", "<h1>Lost, désolé</h1>".encode(), **page)
        self.put("site", "style/listing.css", self.CSS.encode(), Content_Type="text/css")
        for name in self.ODD:
            self.put("site", f"files/{name}", f"text of {name}".encode(), **text)
        self.put("site", "files/deep & er/last.txt", b"text of last", **text)

    def heading_colour(self):
        return self.driver.find_element(By.TAG_NAME, "h1").value_of_css_property("color")

    def test_index_and_relative_links(self):
        self.driver.get(self.site)
        self.assertEqual(self.driver.current_url, self.site + "/")
        self.assertIn("Welcome", self.text())
        self.assertEqual(self.heading_colour(), "rgba(1, 2, 3, 1)")
        self.click("next")
        self.assertEqual((self.driver.current_url, self.status()), (self.site + "/docs/next.html", 200))
        self.assertIn("Next", self.text())
        self.click("docs")
        self.assertEqual((self.driver.current_url, self.text()), (self.site + "/docs/", "Docs"))
        self.driver.back()
        self.click("home")
        self.assertEqual(self.driver.current_url, self.site + "/")

    def test_listing(self):
        self.driver.get(self.site + "/files")
        self.assertEqual((self.driver.current_url, self.status()), (self.site + "/files/", 200))
        self.assertIn("Listing of", self.driver.title)
        self.assertEqual(self.heading_colour(), "rgba(1, 2, 3, 1)")
        table = self.driver.find_element(By.ID, "listing")
        self.assertEqual(table.value_of_css_property("width"), "777px")
        shown = [link.text for link in self.driver.find_elements(By.CSS_SELECTOR, ".colname a")]
        self.assertEqual(sorted(shown), sorted(["../", "deep & er/", *self.ODD]))
        for name in self.ODD:
            with self.subTest(name):
                self.driver.get(self.site + "/files/")
                self.click(name)
                self.assertEqual((self.text(), self.status()), (f"text of {name}", 200))

    def test_folders_of_a_listing(self):
        self.driver.get(self.site + "/files/")
        self.click("deep & er/")
        self.assertEqual(self.heading_colour(), "rgba(1, 2, 3, 1)")
        self.click("last.txt")
        self.assertEqual(self.text(), "text of last")
        self.driver.back()
        self.click("../")
        self.assertEqual(self.driver.current_url, self.site + "/files/")
        self.click("../")
        self.assertEqual(self.driver.current_url, self.site + "/")
        self.assertIn("Welcome", self.text())

    def test_error_page(self):
        for missing in ("/nothing.html", "/docs/nothing/at/all", "/nothing/"):
            with self.subTest(missing):
                self.driver.get(self.site + missing)
                self.assertEqual((self.text(), self.status()), ("Lost, désolé", 404))

    def test_the_end_of_public_reading(self):
        """A browser has no token: without the ACL it gets no page of the site."""
        private = self.make_container("private", X_Container_Meta_Web_Index="index.html")
        self.put("private", "index.html", b"secret page", Content_Type="text/html")
        self.driver.get(private + "/index.html")
        self.assertEqual(self.status(), 401)
        self.assertNotIn("secret page", self.driver.page_source)


class UploadForm(Browser):
    KEY = "a key for forms"

    def setUp(self):
        super().setUp()
        answer = self.api.request("POST", self.api.account,
                                  headers={"X-Account-Meta-Temp-URL-Key": self.KEY})
        self.assertEqual(answer.status, 204, answer)
        self.make_container("uploads")
        self.pages.pages["/done"] = "<h1>Thanks</h1>"
        self.files = {"photo é 1.bin": random.Random(1).randbytes(3_000_000),
                      "notes+100%.txt": b"some notes\r\n--\r\nand more\r\n"}
        for name, body in self.files.items():
            (self.scratch / name).write_bytes(body)

    def show_form(self, target, key=KEY, files=2, redirect=None, **change):
        """Shows a page of a foreign origin with the form, signed for `target`, a path of the API."""
        path = f"{self.api.account}/{target}"
        fields = {"redirect": f"{self.pages.origin}/done" if redirect is None else redirect,
                  "max_file_size": "5000000", "max_file_count": "2",
                  "expires": str(int(time.time() + 600)), **change}
        signed = "\n".join([path, *fields.values()])
        fields["signature"] = hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()
        inputs = [f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
                  for name, value in fields.items()]
        inputs += [f'<input type="file" name="file{i}" id="file{i}">' for i in range(files)]
        self.pages.pages["/form"] = (
            f'<form action="{self.root}{urllib.parse.quote(path)}" method="POST" '
            f'enctype="multipart/form-data">{"".join(inputs)}'
            '<input type="submit" id="send" value="Upload"></form>')
        self.driver.get(f"{self.pages.origin}/form")
        for i, name in zip(range(files), [*self.files] * files):
            self.driver.find_element(By.ID, f"file{i}").send_keys(str(self.scratch / name))

    def send(self):
        """Sends the form; returns the address it ends at."""
        self.leave_by(self.driver.find_element(By.ID, "send"))
        return urllib.parse.urlsplit(self.driver.current_url)

    def ends_at(self, url, status, message=""):
        self.assertEqual(f"{url.scheme}://{url.netloc}{url.path}", f"{self.pages.origin}/done")
        self.assertEqual(urllib.parse.parse_qs(url.query, keep_blank_values=True),
                         {"status": [status], "message": [message]})
        self.assertEqual(self.text(), "Thanks")

    def assert_no_object(self, prefix):
        answer = self.api.request("GET", self.api.account + "/uploads", query={"prefix": prefix})
        self.assertEqual((answer.status, answer.body), (204, b""))

    def test_two_files(self):
        self.show_form("uploads/inbox/")
        self.ends_at(self.send(), "201")
        for name, body in self.files.items():
            self.assertEqual(self.bytes_of(f"/uploads/inbox/{name}"), body)
        head = self.api.request("HEAD", f"{self.api.account}/uploads/inbox/notes+100%.txt")
        self.assertEqual(head.headers["Content-Type"], "text/plain")

    def test_without_redirect(self):
        self.show_form("uploads/plain_", redirect="")
        self.send()
        self.assertEqual((self.status(), self.text()), (201, "201 Created"))
        for name, body in self.files.items():
            self.assertEqual(self.bytes_of(f"/uploads/plain_{name}"), body)

    def test_what_is_refused(self):
        cases = (("wrong key", {"key": "another key"}, "Invalid Signature"),
                 ("too late", {"expires": "1"}, "Form Expired"))
        for case, change, words in cases:
            with self.subTest(case):
                self.show_form("uploads/refused/", **change)
                self.send()
                self.assertEqual(self.status(), 401)
                self.assertIn(words, self.text())
                self.assert_no_object("refused/")

    def test_a_field_changed_after_signing(self):
        self.show_form("uploads/changed/")
        self.driver.execute_script(
            "document.querySelector('[name=max_file_size]').value = '5000000000'")
        self.send()
        self.assertEqual(self.status(), 401)
        self.assert_no_object("changed/")

    def test_too_many_files(self):
        self.show_form("uploads/many/", files=3)
        self.ends_at(self.send(), "400", "max file count exceeded")

    def test_too_large_a_file(self):
        self.show_form("uploads/large/", max_file_size="100000")
        self.send()
        self.assertEqual(self.status(), 400)
        self.assertIn("max_file_size exceeded", self.text())
        self.assert_no_object("large/")


class OtherOrigins(Browser):
    SCRIPT = """
      const [method, url, headers, body, done] = arguments;
      fetch(url, {method, headers, body}).then(async answer => done({
        status: answer.status, text: await answer.text(),
        headers: Object.fromEntries(answer.headers)}), error => done({error: error.name}));
    """

    def setUp(self):
        super().setUp()
        self.pages.pages["/app"] = "<h1>app</h1>"
        self.stranger = Pages()
        self.addCleanup(self.stranger.close)
        self.stranger.pages["/app"] = "<h1>stranger</h1>"
        self.shared = self.make_container(
            "shared", X_Container_Meta_Access_Control_Allow_Origin=f"http://a.test {self.pages.origin}",
            X_Container_Meta_Access_Control_Expose_Headers="Content-Disposition",
            X_Container_Meta_Access_Control_Max_Age="5", X_Container_Read=".r:*")
        self.put("shared", "there", b"bytes of there", X_Object_Meta_Colour="blue",
                 Content_Disposition="inline; filename=there")
        self.trusted = {"X-Auth-Token": self.api.headers["X-Auth-Token"], "X-Own-Word": "odd"}

    def fetch(self, origin, method, url, headers=None, body=None):
        """What a script of a page of that origin is given."""
        if not self.driver.current_url.startswith(origin + "/"):
            self.driver.get(origin + "/app")
        return self.driver.execute_async_script(self.SCRIPT, method, url, headers or {}, body)

    def missing(self, path):
        return self.api.request("HEAD", self.api.account + path).status == 404

    def test_an_allowed_origin_reads(self):
        got = self.fetch(self.pages.origin, "GET", self.shared + "/there", self.trusted)
        self.assertEqual((got.get("status"), got.get("text")), (200, "bytes of there"), got)
        self.assertEqual(got["headers"]["content-disposition"], "inline; filename=there")
        self.assertEqual(got["headers"]["x-object-meta-colour"], "blue")
        self.assertEqual(got["headers"]["etag"].strip('"'), hashlib.md5(b"bytes of there").hexdigest())
        self.assertIn("x-trans-id", got["headers"])
        self.assertNotIn("accept-ranges", got["headers"])
        part = self.fetch(self.pages.origin, "GET", self.shared + "/there",
                          {**self.trusted, "Range": "bytes=0-4"})
        self.assertEqual((part.get("status"), part.get("text")), (206, "bytes"), part)

    def test_an_allowed_origin_writes(self):
        put = self.fetch(self.pages.origin, "PUT", self.shared + "/new",
                         {**self.trusted, "X-Object-Meta-Colour": "red", "Content-Type": "text/css"},
                         "wrïtten by a script")
        self.assertEqual(put.get("status"), 201, put)
        body = "wrïtten by a script".encode()
        self.assertEqual(put["headers"]["etag"].strip('"'), hashlib.md5(body).hexdigest())
        self.assertEqual(self.bytes_of("/shared/new"), body)
        head = self.api.request("HEAD", self.api.account + "/shared/new").headers
        self.assertEqual((head["X-Object-Meta-Colour"], head["Content-Type"]), ("red", "text/css"))
        for method, status in (("POST", 202), ("DELETE", 204)):
            got = self.fetch(self.pages.origin, method, self.shared + "/new", self.trusted)
            self.assertEqual(got.get("status"), status, got)
        self.assertTrue(self.missing("/shared/new"))

    def test_an_allowed_origin_sees_why_not(self):
        got = self.fetch(self.pages.origin, "GET", self.shared + "/absent", self.trusted)
        self.assertEqual(got.get("status"), 404, got)
        got = self.fetch(self.pages.origin, "PUT", self.shared + "/denied",
                         {"X-Auth-Token": "wrong"}, "x")
        self.assertEqual(got.get("status"), 401, got)
        self.assertTrue(self.missing("/shared/denied"))

    def test_another_origin_is_kept_out(self):
        """With a preflight nothing is sent; without one the script is not given the answer."""
        origin, refused = self.stranger.origin, {"error": "TypeError"}
        self.assertEqual(self.fetch(origin, "GET", self.shared + "/there", self.trusted), refused)
        self.assertEqual(self.fetch(origin, "GET", self.shared + "/there"), refused)
        self.assertEqual(self.fetch(origin, "PUT", self.shared + "/theirs", self.trusted, "x"), refused)
        self.assertTrue(self.missing("/shared/theirs"))
        self.assertEqual(self.fetch(self.pages.origin, "GET", self.shared + "/there")["status"], 200)

    def test_any_origin(self):
        url = self.make_container("anyone", X_Container_Meta_Access_Control_Allow_Origin="*")
        self.put("anyone", "thing", b"a thing", Content_Disposition="inline")
        got = self.fetch(self.stranger.origin, "GET", url + "/thing", self.trusted)
        self.assertEqual((got.get("status"), got.get("text")), (200, "a thing"), got)
        self.assertNotIn("content-disposition", got["headers"])
        listing = self.fetch(self.stranger.origin, "GET", url + "?format=json", self.trusted)
        self.assertEqual((listing.get("status"), "thing" in listing.get("text", "")), (200, True))

    def test_a_container_that_says_nothing(self):
        url = self.make_container("silent", X_Container_Read=".r:*")
        self.put("silent", "thing", b"a thing")
        self.assertEqual(self.fetch(self.pages.origin, "GET", url + "/thing"), {"error": "TypeError"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
