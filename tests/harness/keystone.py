"""Debian's own Keystone on loopback, on SQLite: the identity service that Apus asks."""

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness.processes import Child, free_port, wait_for_port

PYTHON = "/usr/bin/python3"
MANAGE, SERVE = "/usr/bin/keystone-manage", "/usr/bin/keystone-wsgi-public"
PASSWORD = "bootstrap-password"


def missing_parts():
    """Names of the programs that are not installed; empty when Keystone can run here."""
    return [path for path in (MANAGE, SERVE) if shutil.which(path) is None]


class Keystone:
    """A fresh Keystone with its user `admin`. A context manager."""

    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="keystone-")
        self.folder = pathlib.Path(self._temporary.name)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.child = None
        self._admin = None
        # Without eventlet's own DNS, which nothing needs on loopback, each program starts with less CPU.
        self.environment = {**os.environ, "OS_KEYSTONE_CONFIG_FILES": str(self.folder / "keystone.conf"),
                            "EVENTLET_NO_GREENDNS": "yes"}

    def __enter__(self):
        for name in ("fernet", "credential"):
            (self.folder / name).mkdir(mode=0o700)
        (self.folder / "keystone.conf").write_text(
            f"[DEFAULT]\nlog_file = {self.folder}/keystone.log\nuse_stderr = false\n"
            f"[database]\nconnection = sqlite:///{self.folder}/keystone.db\n"
            f"[fernet_tokens]\nkey_repository = {self.folder}/fernet\n"
            f"[credential]\nkey_repository = {self.folder}/credential\n[cache]\nenabled = false\n"
            "[identity]\npassword_hash_rounds = 4\n")
        self._manage("db_sync")
        # Keystone leaves reads open behind it; in this mode they lock nobody out.
        with contextlib.closing(sqlite3.connect(self.folder / "keystone.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")
        user = str(os.geteuid()), str(os.getegid())
        self._manage("fernet_setup", "--keystone-user", user[0], "--keystone-group", user[1])
        self._manage("bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id", "here")
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()
        self._temporary.cleanup()

    def start(self):
        self.child = Child([PYTHON, SERVE, "--host", "127.0.0.1", "--port", self.port],
                           self.folder / "server.log", env=self.environment)
        wait_for_port(self.port, self.child.process, 60)

    def stop(self):
        if self.child is not None:
            self.child.kill()
            self.child = None

    def _manage(self, *words):
        # The exit status counts; what eventlet says while the interpreter ends does not.
        subprocess.run([PYTHON, MANAGE, "--config-file", str(self.folder / "keystone.conf"), *words],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)

    def request(self, method, path, body=None, token=None):
        """(status, headers, decoded body); errors are answers."""
        headers = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})}
        request = urllib.request.Request(self.url + "/v3" + path, method=method, headers=headers,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return answer.status, answer.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def token(self, user, password, project, domain="default"):
        who = {"name": user, "password": password, "domain": {"id": domain}}
        status, headers, body = self.request("POST", "/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": who}},
            "scope": {"project": {"name": project, "domain": {"id": domain}}}}})
        if status != 201:
            raise RuntimeError(f"no token for {user}: {status} {body}")
        return headers["X-Subject-Token"]

    def admin(self, method, path, body=None):
        """As `admin`; returns the decoded body."""
        if self._admin is None:
            self._admin = self.token("admin", PASSWORD, "admin")
        status, _, answer = self.request(method, path, body, self._admin)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def make(self, kind, name, **fields):
        """A project, user, role or domain; returns its id."""
        return self.admin("POST", f"/{kind}s", {kind: {"name": name, **fields}})[kind]["id"]

    def role(self, name):
        found = self.admin("GET", f"/roles?name={name}")["roles"]
        return found[0]["id"] if found else self.make("role", name)

    def grant(self, project, user, role):
        self.admin("PUT", f"/projects/{project}/users/{user}/roles/{self.role(role)}")
