"""Debian's own Swift on loopback: the oracle that Apus is held against."""

import os
import pathlib
import re
import shutil
import sys
import tempfile

from harness import swift_python
from harness.processes import Child, free_port, wait_for_port

KINDS = ("object", "container", "account")


def missing_parts():
    """Names of the programs that are not installed; empty when Swift can run here."""
    needed = ["swift-proxy-server", "swift-object-server", "swift-container-server",
              "swift-account-server", "swift-ring-builder", "memcached"]
    return [name for name in needed if shutil.which(name) is None]


class DebianSwift:
    """A proxy and one server of each kind over `devices` folders. A context manager.

    swift.conf is read by Swift from /etc/swift at import; SWIFT_TEST_CONF cannot move it, so a small
    sitecustomize on PYTHONPATH points it at the temporary folder.
    """

    def __init__(self, devices=1, replicas=1, part_power=10, workers=1, memcache=None, log_level="ERROR",
                 folder=None, pipeline=None, users=("test:tester:testing-key:.admin",), filters=""):
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="debian-swift-")
        self.folder = pathlib.Path(folder or self._temporary.name)
        self.devices, self.replicas, self.part_power = devices, replicas, part_power
        self.workers, self.log_level = workers, log_level
        self.own_memcached = memcache is None
        self.memcache = memcache or f"127.0.0.1:{free_port()}"
        self.users, self.filters = users, filters
        self.pipeline = pipeline or (
            "catch_errors gatekeeper healthcheck proxy-logging cache listing_formats container_sync bulk "
            "tempurl formpost ratelimit tempauth staticweb copy container-quotas account-quotas slo dlo "
            "versioned_writes symlink proxy-logging proxy-server")
        self.ports = {kind: free_port() for kind in (*KINDS, "proxy")}
        self.children = {}

    @property
    def port(self):
        return self.ports["proxy"]

    @property
    def conf(self):
        return self.folder / "etc"

    @property
    def devices_root(self):
        return self.folder / "devices"

    def __enter__(self):
        self.write()
        self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    def environment(self):
        # Without eventlet's own DNS, which none of its daemons needs on loopback, each starts with a quarter less CPU.
        return {**os.environ, "PYTHONPATH": str(self.folder / "python"), "PYTHONUNBUFFERED": "1",
                "EVENTLET_NO_GREENDNS": "yes"}

    def write(self):
        for name in ("etc", "devices", "python", "recon", "log"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "python" / "sitecustomize.py").write_text(
            "import swift.common.utils as u\n"
            f"u.SWIFT_CONF_FILE = {str(self.conf / 'swift.conf')!r}\n"
            "u.HASH_PATH_SUFFIX = u.HASH_PATH_PREFIX = b''\n"
            "u.validate_hash_conf()\n"
            "# Read at the import from /etc/swift where there is one.\n"
            "u.HASH_PATH_PREFIX = u.HASH_PATH_SUFFIX = b''\n"
            "u.validate_hash_conf()\n"
            "import swift.common.storage_policy as p\n"
            "p.reload_storage_policies()\n"
            "import swift.common.constraints as c\n"
            "c.reload_constraints()\n")
        (self.conf / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_suffix = oracle\nswift_hash_path_prefix = oracle\n"
            "[storage-policy:0]\nname = Policy-0\ndefault = yes\n")
        for number in range(1, self.devices + 1):
            (self.devices_root / f"d{number}").mkdir(exist_ok=True)
        for kind in KINDS:
            self._ring(kind)
            self._server_conf(kind)
        self._proxy_conf()

    def _ring(self, kind):
        self.make_ring(kind, [f"r1z1-127.0.0.1:{self.ports[kind]}/d{number}"
                              for number in range(1, self.devices + 1)])

    def make_ring(self, kind, devices):
        """`devices` in swift-ring-builder's words: rRzZ-IP:PORT/NAME. The same rings each time; a builder file too."""
        from swift.common.ring import RingBuilder
        builder = RingBuilder(self.part_power, self.replicas, 1)
        for device in devices:
            region, zone, ip, port, name = re.fullmatch(r"r(\d+)z(\d+)-\[?([\d.a-f:]+?)\]?:(\d+)/(\w+)", device).groups()
            builder.add_dev({"region": int(region), "zone": int(zone), "ip": ip, "port": int(port), "device": name,
                             "weight": 100.0})
        builder.rebalance(seed=1)
        builder.save(str(self.conf / f"{kind}.builder"))
        builder.get_ring().save(str(self.conf / f"{kind}.ring.gz"))

    def _server_conf(self, kind):
        (self.conf / f"{kind}-server.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self.ports[kind]}\nuser = root\n"
            f"swift_dir = {self.conf}\ndevices = {self.devices_root}\nmount_check = false\n"
            f"workers = {self.workers}\nlog_level = {self.log_level}\n"
            f"recon_cache_path = {self.folder / 'recon'}\n"
            f"[pipeline:main]\npipeline = {kind}-server\n"
            f"[app:{kind}-server]\nuse = egg:swift#{kind}\n")

    def _proxy_conf(self):
        users = "".join(
            "user_{0}_{1} = {2} {3}\n".format(*(user.split(":", 3) + [""])[:4]).replace(":", " ")
            for user in self.users)
        servers = f"memcache_servers = {self.memcache}\n"
        (self.conf / "proxy-server.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self.port}\nuser = root\n"
            f"swift_dir = {self.conf}\nworkers = {self.workers}\nlog_level = {self.log_level}\n"
            f"[pipeline:main]\npipeline = {self.pipeline}\n"
            "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = yes\n"
            "allow_account_management = yes\n"
            f"[filter:tempauth]\nuse = egg:swift#tempauth\n{users}"
            f"[filter:cache]\nuse = egg:swift#memcache\n{servers}"
            + "".join(f"[filter:{name}]\nuse = egg:swift#{egg}\n" for name, egg in (
                ("catch_errors", "catch_errors"), ("gatekeeper", "gatekeeper"),
                ("healthcheck", "healthcheck"), ("proxy-logging", "proxy_logging"),
                ("listing_formats", "listing_formats"), ("tempurl", "tempurl"),
                ("ratelimit", "ratelimit"), ("copy", "copy"),
                ("container_sync", "container_sync"), ("bulk", "bulk"), ("formpost", "formpost"),
                ("staticweb", "staticweb"), ("container-quotas", "container_quotas"),
                ("account-quotas", "account_quotas"), ("slo", "slo"), ("dlo", "dlo"),
                ("symlink", "symlink"),
                ("versioned_writes", "versioned_writes\nallow_versioned_writes = true\n"
                 "allow_object_versioning = true"))
                if f"[filter:{name}]" not in self.filters) + self.filters)

    def program(self, name, *words, log):
        """Starts Debian's swift-NAME: a Child."""
        return Child(None, log, process=swift_python.start(f"/usr/bin/swift-{name}", words, self.environment(), log, log))

    def run_program(self, name, *words, stdin="", seconds=120, path=None):
        """Debian's swift-NAME, or a script by its path, to its end: a subprocess.CompletedProcess. Other programs are
        looked for in the folder `path` first."""
        environment = self.environment()
        if path is not None:
            environment["PATH"] = f"{path}:{environment['PATH']}"
        script = name if "/" in str(name) else f"/usr/bin/swift-{name}"
        return swift_python.run(script, words, environment, stdin, seconds)

    def start(self, kinds=(*KINDS, "proxy")):
        if self.own_memcached and "memcached" not in self.children:
            port = int(self.memcache.rpartition(":")[2])
            self.children["memcached"] = Child(
                ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", port, "-m", "64"],
                self.folder / "log" / "memcached.log")
            wait_for_port(port, self.children["memcached"].process)
        for kind in kinds:
            self.children[kind] = self.program(f"{kind}-server", self.conf / f"{kind}-server.conf",
                                               log=self.folder / "log" / f"{kind}.log")
        for kind in kinds:
            child = self.children[kind]
            try:
                wait_for_port(self.ports[kind], child.process, 30)
            except RuntimeError as error:
                raise RuntimeError(f"swift-{kind}-server: {error}\n{child.output()}") from None

    def close(self):
        for child in self.children.values():
            child.stop()
        if self._temporary is not None:
            self._temporary.cleanup()


if __name__ == "__main__":
    sys.exit("this file is read by tests")
