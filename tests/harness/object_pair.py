"""Two object servers of one ring, each with devices of its own: the first is Debian's, the second Apus's, or as told."""

import hashlib
import os
import subprocess

from harness.debian_swift import DebianSwift
from harness.http import Client
from harness.processes import APUS, Child, free_port, wait_for_port

# What no pass between healthy servers says.
COMPLAINTS = ("Traceback", "Exception", "ERROR", "rror syncing", "EXCEPTION", "Quarantined", "Invalid response",
              "Early disconnect", "Unexpected response")


class ObjectPair(DebianSwift):
    """Nodes are 1 (Debian) and 2 (Apus), unless `kinds` says otherwise. Policy 0 has both as primaries of every partition, policy 1 ("lone") one
    of them. A context manager."""

    def __init__(self, method="ssync", node_ports=None, ring_ports=None, app="", part_power=3,
                 kinds=("swift", "apus"), **arguments):
        super().__init__(replicas=2, part_power=part_power, memcache="127.0.0.1:1", **arguments)
        self.kinds = dict(zip((1, 2), kinds))
        self.method = method
        self.app = app  # further lines of [app:object-server]
        self.node_ports = node_ports or {1: free_port(), 2: free_port()}
        self.ring_ports = ring_ports or self.node_ports  # where each is reached for replication
        self.rsync_port = free_port()
        self.said = ""

    def root(self, node):
        return self.folder / f"devices{node}"

    def device(self, node):
        return self.root(node) / f"d{node}"

    def write(self):
        super().write()
        with open(self.conf / "swift.conf", "a") as conf:
            conf.write("[storage-policy:1]\nname = lone\n")
        for node in (1, 2):
            self.device(node).mkdir(parents=True, exist_ok=True)
        modules = "".join(
            f"[object_{self.ring_ports[node]}]\npath = {self.root(node)}\nread only = false\n"
            f"lock file = {self.folder}/rsync{node}.lock\n" for node in (1, 2))
        (self.conf / "rsyncd.conf").write_text(
            f"use chroot = no\nuid = root\ngid = root\naddress = 127.0.0.1\nport = {self.rsync_port}\n"
            f"log file = {self.folder}/log/rsyncd.log\npid file = {self.folder}/rsyncd.pid\n{modules}")

    def _ring(self, kind):
        if kind != "object":
            return
        for name, replicas in (("object", 2), ("object-1", 1)):
            builder = self.conf / f"{name}.builder"
            run = lambda *words: self.run_program("ring-builder", builder, *words).check_returncode()
            run("create", self.part_power, replicas, 1)
            for node, port in self.node_ports.items():
                run("add", f"r1z{node}-127.0.0.1:{port}R127.0.0.1:{self.ring_ports[node]}/d{node}", 100)
            run("rebalance", "--seed", "7")

    def node_conf(self, node, section="", **options):
        lines = "".join(f"{name} = {value}\n" for name, value in options.items())
        path = self.conf / f"{section or 'server'}-{node}.conf"
        port = self.ring_ports[node] if section else self.node_ports[node]
        path.write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nuser = root\nswift_dir = {self.conf}\n"
            f"devices = {self.root(node)}\nmount_check = false\nworkers = 1\nlog_level = INFO\n"
            f"reclaim_age = 1000000000\nfallocate_reserve = 0\nrecon_cache_path = {self.folder / 'recon'}\n"
            "conn_timeout = 10\nnode_timeout = 60\n"
            f"[pipeline:main]\npipeline = object-server\n[app:object-server]\nuse = egg:swift#object\n{self.app}"
            + (f"[{section}]\n{lines}" if section else ""))
        return path

    def start(self, kinds=()):
        self.children["rsyncd"] = Child(["rsync", "--daemon", "--no-detach", "--config", self.conf / "rsyncd.conf"],
                                        self.folder / "log" / "rsyncd.out")
        for node, kind in self.kinds.items():
            conf, log = self.node_conf(node), self.folder / "log" / f"{node}.log"
            self.children[str(node)] = Child([APUS, "serve", conf], log) if kind == "apus" else self.program(
                "object-server", conf, log=log)
        for name, port in (("rsyncd", self.rsync_port), ("2", self.node_ports[2]), ("1", self.node_ports[1])):
            try:
                wait_for_port(port, self.children[name].process, 60)
            except RuntimeError as error:
                raise RuntimeError(f"{error}\n{self.children[name].output()}") from None

    def output(self):
        return self.said + "".join(f"--- server {name}\n{self.children[name].output()}" for name in ("1", "2"))

    def hash_of(self, name):
        return hashlib.md5(b"oracle/AUTH_a/c/" + name.encode() + b"oracle").hexdigest()

    def partition(self, name):
        return int(self.hash_of(name)[:8], 16) >> (32 - self.part_power)

    def primaries(self, name, policy):
        """Nodes that the ring has for it."""
        from swift.common.ring import Ring
        ring = Ring(str(self.conf), ring_name="object" if policy == 0 else f"object-{policy}")
        return [int(node["device"][1:]) for node in ring.get_part_nodes(self.partition(name))]

    def ask(self, node, method, name, when, body=None, policy=0, **headers):
        client = Client(self.node_ports[node])
        fields = {"X-Timestamp": when, "X-Backend-Storage-Policy-Index": str(policy),
                  **{key.replace("_", "-"): value for key, value in headers.items()}}
        if method == "PUT":
            fields.setdefault("Content-Type", "text/plain")
        answer = client.request(method, f"/d{node}/{self.partition(name)}/AUTH_a/c/{name}", body, fields)
        client.close()
        return answer

    def put(self, node, name, when, body=b"hello", **more):
        answer = self.ask(node, "PUT", name, when, body, **more)
        if answer.status != 201:
            raise RuntimeError(f"PUT {name} on node {node}: {answer}")

    def post(self, node, name, when, **more):
        answer = self.ask(node, "POST", name, when, **more)
        if answer.status != 202:
            raise RuntimeError(f"POST {name} on node {node}: {answer}")

    def delete(self, node, name, when, **more):
        answer = self.ask(node, "DELETE", name, when, **more)
        if answer.status not in (204, 404):
            raise RuntimeError(f"DELETE {name} on node {node}: {answer}")

    def push(self, node, apus, words=(), seconds=60, path=None, **options):
        """One pass of a replicator, Debian's or Apus's, over the node's devices; what it said. Programs are looked for in
        `path` first."""
        module = f"rsync://127.0.0.1:{self.rsync_port}/object_{{replication_port}}"
        conf = self.node_conf(node, "object-replicator", rsync_module=module, sync_method=self.method,
                              log_name=f"replicator{node}", **({"log_to": "stderr"} if apus else {}), **options)
        words = ("object-replicator", str(conf), "once", *words)
        if apus:
            environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path is not None else None
            done = subprocess.run([APUS, *words], text=True, env=environment, timeout=seconds, capture_output=True)
        else:
            done = self.run_program(*words, "-v", seconds=seconds, path=path)
        said = done.stdout + done.stderr
        self.said += f"--- push {node} by {'Apus' if apus else 'Swift'}, {self.method}\n{said}"
        if done.returncode != 0:
            raise RuntimeError(self.said)
        return said

    def partition_folders(self, node, policy=0):
        folder = self.device(node) / ("objects" if policy == 0 else f"objects-{policy}")
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []

    def tree(self, node, policy=0):
        """Paths below the policy's folder to metadata and bytes; locks and caches left out."""
        from swift.obj.diskfile import read_metadata
        folder = self.device(node) / ("objects" if policy == 0 else f"objects-{policy}")
        out = {}
        for path in sorted(folder.glob("*/*/*/*")):
            metadata = read_metadata(str(path))
            out[str(path.relative_to(folder))] = (metadata, path.read_bytes())
        return out

    def complaints(self):
        """Lines of any log that no healthy pass has."""
        return [line for line in self.output().splitlines() if any(word in line for word in COMPLAINTS)]

    def files_of(self, node, name, policy=0):
        return sorted(os.path.basename(path) for path in self.tree(node, policy) if self.hash_of(name) in path)
