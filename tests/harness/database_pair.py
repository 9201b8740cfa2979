"""Two database servers of one ring, each with devices of its own: the first is Debian's, the second Apus's, or as told."""

import subprocess

from harness.debian_swift import DebianSwift
from harness.http import Client
from harness.mixed_swift import partition_of
from harness.processes import APUS, Child, free_port, wait_for_port


class DatabasePair(DebianSwift):
    """`kind` is account or container; nodes are 1 (Debian) and 2 (Apus), unless `kinds` says otherwise. A context manager."""

    def __init__(self, kind, kinds=("swift", "apus"), **arguments):
        super().__init__(replicas=2, part_power=1, memcache="127.0.0.1:1", **arguments)
        self.kinds = dict(zip((1, 2), kinds))
        self.kind = kind
        self.node_ports = {1: free_port(), 2: free_port()}
        self.rsync_port = free_port()
        self.path = "/AUTH_a" if kind == "account" else "/AUTH_a/c"
        self.meta = f"X-{kind.title()}-Meta-Color"
        self.said = ""

    def root(self, node):
        return self.folder / f"devices{node}"

    def write(self):
        super().write()
        for node in (1, 2):
            (self.root(node) / f"d{node}").mkdir(parents=True, exist_ok=True)
        modules = "".join(
            f"[{self.kind}_{port}]\npath = {self.root(node)}\nread only = false\nlock file = {self.folder}/rsync{node}.lock\n"
            for node, port in self.node_ports.items())
        (self.conf / "rsyncd.conf").write_text(
            f"use chroot = no\nuid = root\ngid = root\naddress = 127.0.0.1\nport = {self.rsync_port}\n"
            f"log file = {self.folder}/log/rsyncd.log\npid file = {self.folder}/rsyncd.pid\n{modules}")

    def _ring(self, kind):
        if kind != self.kind:
            return
        builder = self.conf / f"{kind}.builder"
        run = lambda *words: self.run_program("ring-builder", builder, *words).check_returncode()
        run("create", self.part_power, 2, 1)
        for node, port in self.node_ports.items():
            run("add", f"r1z{node}-127.0.0.1:{port}/d{node}", 100)
        run("rebalance")

    def node_conf(self, node, section="", **options):
        lines = "".join(f"{name} = {value}\n" for name, value in options.items())
        path = self.conf / f"{section or 'server'}-{node}.conf"
        path.write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self.node_ports[node]}\nuser = root\nswift_dir = {self.conf}\n"
            f"devices = {self.root(node)}\nmount_check = false\nworkers = 1\nlog_level = DEBUG\n"
            f"recon_cache_path = {self.folder / 'recon'}\n[pipeline:main]\npipeline = {self.kind}-server\n"
            f"[app:{self.kind}-server]\nuse = egg:swift#{self.kind}\n"
            + (f"[{section}]\n{lines}" if section else ""))
        return path

    def start(self, kinds=()):
        self.children["rsyncd"] = Child(["rsync", "--daemon", "--no-detach", "--config", self.conf / "rsyncd.conf"],
                                        self.folder / "log" / "rsyncd.out")
        for node, kind in self.kinds.items():
            conf, log = self.node_conf(node), self.folder / "log" / f"{node}.log"
            self.children[str(node)] = Child([APUS, "serve", conf], log) if kind == "apus" else self.program(
                f"{self.kind}-server", conf, log=log)
        for name, port in (("rsyncd", self.rsync_port), ("2", self.node_ports[2]), ("1", self.node_ports[1])):
            try:
                wait_for_port(port, self.children[name].process, 60)
            except RuntimeError as error:
                raise RuntimeError(f"{error}\n{self.children[name].output()}") from None

    def output(self):
        return self.said + "".join(self.children[name].output() for name in ("1", "2"))

    def partition(self):
        return partition_of(self.path, self.part_power)

    def request(self, node, method, path, headers):
        client = Client(self.node_ports[node])
        answer = client.request(method, f"/d{node}/{self.partition()}{path}", headers=headers)
        client.close()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {path} on node {node}: {answer}")
        return answer

    def make(self, node, when):
        self.request(node, "PUT", self.path, {"X-Timestamp": when})

    def post(self, node, seconds):
        self.request(node, "POST", self.path, {"X-Timestamp": f"{seconds}.00000", self.meta: "blue"})

    def put_rows(self, node, numbers, seconds):
        for number in numbers:
            when = f"{seconds}.{number:05d}"
            headers = {"X-Timestamp": when, "X-Size": "3", "X-Content-Type": "text/plain", "X-Etag": "e"}
            if self.kind == "account":
                headers = {"X-Timestamp": when, "X-Put-Timestamp": when, "X-Delete-Timestamp": "0", "X-Object-Count": "2",
                           "X-Bytes-Used": "6"}
            self.request(node, "PUT", f"{self.path}/row {number} ü", headers)

    def push(self, node, seconds=120, apus=False, **options):
        """One pass of a replicator, Debian's or Apus's, over the node's devices."""
        name = f"{self.kind}-replicator"
        module = f"rsync://127.0.0.1:{self.rsync_port}/{self.kind}_{{replication_port}}"
        conf = self.node_conf(node, name, rsync_module=module, log_name=f"replicator{node}", **options)
        if apus:
            done = subprocess.run([APUS, name, conf, "once"], text=True, timeout=seconds, capture_output=True)
        else:
            done = self.run_program(name, conf, "once", "-v", seconds=seconds)
        self.said += f"--- push {node}\n{done.stdout}{done.stderr}"
        if done.returncode != 0:
            raise RuntimeError(self.said)
        return done.stdout + done.stderr

    def file(self, node):
        [path] = self.root(node).glob(f"d{node}/{self.kind}s/*/*/*/*.db")
        return path

    def broker(self, node):
        from swift.account.backend import AccountBroker
        from swift.container.backend import ContainerBroker
        return (AccountBroker if self.kind == "account" else ContainerBroker)(str(self.file(node)))
