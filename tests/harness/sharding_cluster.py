"""A mixed cluster whose sharders are run node by node, Debian's or Apus', and what its containers look like inside."""

import collections
import hashlib
import json
import pathlib
import subprocess

from harness.http import Client
from harness.mixed_cluster import MixedCluster
from harness.mixed_swift import partition_of, timestamp
from harness.operators import run_apus
from harness.processes import APUS, Child

NULL_ETAG = "d41d8cd98f00b204e9800998ecf8427e"


class ShardingCluster(MixedCluster):
    """One more conf: the pipeline that sharders read root containers through; and an admin of all accounts."""

    def __init__(self):
        super().__init__()
        self.users = (*self.users, "admin:admin:owner-of-all:.admin .reseller_admin")

    def write(self):
        super().write()
        (self.conf / "internal-client.conf").write_text(
            f"[DEFAULT]\nswift_dir = {self.conf}\nuser = root\nlog_level = INFO\nlog_to = stderr\n"
            "[pipeline:main]\npipeline = catch_errors proxy-server\n"
            "[app:proxy-server]\nuse = egg:swift#proxy\nconn_timeout = 20\nnode_timeout = 60\n"
            "[filter:catch_errors]\nuse = egg:swift#catch_errors\n")

    def daemon(self, name, node, maker, seconds=120, words=(), **options):
        """Starts one pass over a node's devices."""
        conf = self.conf / f"{name}-{node}-{maker}.conf"
        options = {"internal_client_conf_path": self.conf / "internal-client.conf", "conn_timeout": 20,
                   "node_timeout": 60, **options} if name == "container-sharder" else options
        lines = "".join(f"{option} = {value}\n" for option, value in options.items())
        text = (self.conf / "container-server.conf").read_text()
        text = text.replace(f"bind_port = {self.ports['container']}\n", f"bind_port = {self.node_ports['container', node]}\n")
        conf.write_text(text.replace("[DEFAULT]\n", "[DEFAULT]\nlog_to = stderr\n") + f"[{name}]\n{lines}")
        log = self.folder / "log" / f"{name}-{node}-{maker}.log"
        log.unlink(missing_ok=True)
        return Child([APUS, name, conf, "once", *words], log) if maker == "apus" else self.program(
            name, conf, "once", "-v", *words, log=log)

    def run(self, name, makers, seconds=120, **options):
        """One pass on each node of `makers` ({node: maker}) at once; what they said, by node."""
        running = {node: self.daemon(name, node, maker, **options) for node, maker in makers.items()}
        said = {}
        for node, child in running.items():
            try:
                status = child.process.wait(seconds)
            except subprocess.TimeoutExpired:
                status = f"nothing within {seconds} s"
                child.kill()
            said[node] = child.output()
            if status != 0:
                raise RuntimeError(f"{name} of {makers[node]} on node {node} ended with {status}:\n{said[node]}")
        return said

    def tool(self, maker, *words, stdin=""):
        """swift-manage-shard-ranges of Debian's or ours; its output."""
        run = run_apus if maker == "apus" else self.run_program
        return run("manage-shard-ranges", *words, stdin=stdin)

    def primaries(self, path):
        """Devices of "/account/container" in the ring's order, each with its node."""
        from swift.common.ring.ring import RingData
        ring = RingData.load(str(self.conf / "container.ring.gz"))
        partition = partition_of(path, self.part_power)
        return [ring.devs[row[partition]] for row in ring._replica2part2dev_id]

    def node_of(self, device):
        return next(node for (kind, node), port in self.node_ports.items()
                    if kind == "container" and port == device["port"])

    def direct(self, device, method, path, body=None, query=None, **headers):
        """One request to a container server itself."""
        client = Client(device["port"])
        container = "/".join(path.split("/")[:3])
        answer = client.request(method, f"/{device['device']}/{partition_of(container, self.part_power)}{path}", body,
                                {"X-Timestamp": timestamp(), **{k.replace("_", "-"): v for k, v in headers.items()}},
                                query=query)
        client.close()
        return answer

    def add_rows(self, path, names, size=1):
        """Rows of objects that there are none of, to every primary."""
        when = timestamp()
        rows = json.dumps([{"name": name, "created_at": when, "size": size, "content_type": "text/plain",
                            "etag": NULL_ETAG, "deleted": 0, "storage_policy_index": 0} for name in names])
        for device in self.primaries(path):
            answer = self.direct(device, "UPDATE", path, rows.encode(), X_Backend_Storage_Policy_Index="0")
            if answer.status != 202:
                raise RuntimeError(f"UPDATE {path}: {answer}")

    def remove_rows(self, path, names):
        for device in self.primaries(path):
            for name in names:
                self.direct(device, "DELETE", f"{path}/{name}")

    def files(self, path, device):
        digest = hashlib.md5(b"oracle" + path.encode() + b"oracle").hexdigest()
        return sorted(pathlib.Path(self.devices_root).glob(f"{device['device']}/containers/*/*/{digest}/*.db"))

    def broker(self, path, device):
        """Swift's own view of a copy."""
        from swift.container.backend import ContainerBroker
        return ContainerBroker(str(self.files(path, device)[-1]))

    def shard_ranges(self, path, device, **headers):
        answer = self.direct(device, "GET", path, query={"format": "json"}, X_Backend_Record_Type="shard", **headers)
        if answer.status // 100 != 2:
            raise RuntimeError(f"GET {path}: {answer}")
        return json.loads(answer.body)

    def states(self, path):
        """Of each copy: what it is, and how many of its shards are in which state."""
        out = []
        for device in self.primaries(path):
            answer = self.direct(device, "GET", path, query={"format": "json"}, X_Backend_Record_Type="shard")
            counts = collections.Counter(row["state"] for row in json.loads(answer.body))
            out.append((answer.headers["X-Backend-Sharding-State"], dict(counts)))
        return out
