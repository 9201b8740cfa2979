"""Debian's Chromium without a window, driven through WebDriver; pages of other origins beside it."""

import contextlib
import http.server
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time

from .processes import Child, free_port, wait_for_port

SKIPPED = 77
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
SECONDS = 30


def need_chromium():
    """Ends the test program as skipped where the browser is not installed."""
    missing = [path for path in (CHROMIUM, DRIVER) if not os.access(path, os.X_OK)]
    try:
        import selenium  # noqa: F401
    except ImportError:
        missing.append("python3-selenium")
    if missing:
        print("skipped, not installed:", *missing)
        sys.exit(SKIPPED)


def children_of(pid):
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def end_within(pid, seconds):
    """Waits for the end of a process that is not our child; SIGKILL when time ran out."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Chromium:
    """One browser with a profile of its own; `driver` is selenium's. Every wait ends after SECONDS."""

    def __init__(self):
        self.folder, self.driver, self._child, self._browsers = None, None, None, []

    def start(self):
        from selenium import webdriver
        from selenium.webdriver.remote.file_detector import UselessFileDetector
        from selenium.webdriver.remote.remote_connection import RemoteConnection

        port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-chromium-"))
        self._child = Child([DRIVER, f"--port={port}"], self.folder / "driver.log",
                            env={**os.environ, "HOME": str(self.folder), "TMPDIR": str(self.folder)})
        wait_for_port(port, self._child.process)
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        # Root has no sandbox; a small /dev/shm is no reason to fail; nothing but loopback is asked.
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", "--disable-background-networking", "--disable-sync",
                     "--disable-component-update", "--no-proxy-server",
                     "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                     f"--user-data-dir={self.folder / 'profile'}"):
            options.add_argument(word)
        RemoteConnection.set_timeout(2 * SECONDS)
        self.driver = webdriver.Remote(f"http://127.0.0.1:{port}", options=options)
        self._browsers = children_of(self._child.pid)
        self.driver.file_detector = UselessFileDetector()  # paths of this machine, as they are
        self.driver.set_page_load_timeout(SECONDS)
        self.driver.set_script_timeout(SECONDS)

    def close(self):
        try:
            if self.driver is not None:
                with contextlib.suppress(Exception):
                    self.driver.quit()
            if self._child is not None:
                self._browsers = self._browsers or children_of(self._child.pid)
                for pid in self._browsers:
                    end_within(pid, 10)
                self._child.kill()
        finally:
            if self.folder is not None:
                shutil.rmtree(self.folder, ignore_errors=True)


class Pages:
    """A web server of its own origin: `pages` maps a path to the HTML shown there."""

    def __init__(self):
        self.pages = {}
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = site.pages.get(self.path.partition("?")[0])
                body = (page or "nothing here").encode()
                self.send_response(404 if page is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(SECONDS)
