"""Debian's Swift with some of its servers exchanged for Apus ones: same confs, rings, devices, ports."""

import hashlib
import subprocess
import time

from harness.debian_swift import KINDS, DebianSwift
from harness.processes import APUS, Child, wait_for_port


class MixedSwift(DebianSwift):
    """`apus_kinds` are served by Apus. Two policies, so that policies can differ."""

    def __init__(self, apus_kinds=(), only=(*KINDS, "proxy"), rsync=None, **arguments):
        super().__init__(**arguments)
        self.apus_kinds, self.only, self.rsync = apus_kinds, only, rsync

    def write(self):
        super().write()
        with open(self.conf / "swift.conf", "a") as conf:
            conf.write("[storage-policy:1]\nname = silver\n")

    def _ring(self, kind):
        if kind in self.only or "proxy" in self.only:
            super()._ring(kind)

    def start(self, kinds=None):
        kinds = self.only if kinds is None else kinds
        for kind in [kind for kind in kinds if kind in self.apus_kinds]:
            self.children[kind] = Child([APUS, "serve", self.conf / f"{kind}-server.conf"],
                                        self.folder / "log" / f"{kind}.log")
            try:
                wait_for_port(self.ports[kind], self.children[kind].process)
            except RuntimeError as error:
                raise RuntimeError(f"{error}\n{self.children[kind].output()}") from None
        super().start([kind for kind in kinds if kind not in self.apus_kinds])

    def daemon_conf(self, kind, daemon, **options):
        """A conf for one of Debian's daemons over the same devices."""
        path = self.conf / f"{daemon}.conf"
        devices = options.pop("devices", self.devices_root)
        lines = "".join(f"{name} = {value}\n" for name, value in options.items())
        server = (self.conf / f"{kind}-server.conf").read_text().replace(
            f"devices = {self.devices_root}\n", f"devices = {devices}\n")
        path.write_text(server + f"[{daemon}]\n"
                        f"recon_cache_path = {self.folder / 'recon'}\n" + lines)
        return path

    def run_daemon(self, kind, daemon, seconds=60, words=(), **options):
        """One pass of Debian's swift-DAEMON, with further words of its command line; its output."""
        conf = self.daemon_conf(kind, daemon, **options)
        done = self.run_program(daemon, conf, "once", "-v", *words, seconds=seconds)
        if done.returncode != 0:
            raise RuntimeError(f"swift-{daemon} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def run_apus_daemon(self, kind, daemon, seconds=60, words=(), **options):
        """The same of Apus's."""
        conf = self.daemon_conf(kind, daemon, **options)
        done = subprocess.run([str(APUS), daemon, str(conf), "once", "-v", *words], text=True, timeout=seconds,
                              capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"apus {daemon} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def timestamp(seconds=None):
    """Swift's normal form; the present moment when none is given."""
    return f"{time.time() if seconds is None else seconds:016.5f}"


def partition_of(path, part_power=10):
    """Of "/account[/container]", with the salt of DebianSwift's swift.conf."""
    digest = hashlib.md5(b"oracle" + path.encode() + b"oracle").hexdigest()
    return int(digest[:8], 16) >> (32 - part_power)
