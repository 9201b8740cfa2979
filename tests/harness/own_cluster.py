"""Four nodes of Apus, each a process at an address of its own with one device, and a proxy before them."""

import re
import signal
import subprocess

from harness.debian_swift import KINDS, DebianSwift
from harness.http import Client
from harness.mixed_swift import partition_of
from harness.processes import APUS, Child, free_port, wait_for_port
from harness.relay import Relay
from harness.small_disk import SmallDisk

NODES = (1, 2, 3, 4)
# A node that fails three times is left alone for so many seconds after its last failure.
SUPPRESSED = 6


def address(node):
    return f"127.0.0.{10 + node}"


class OwnCluster(DebianSwift):
    """3 replicas; rings by swift-ring-builder, one memcached. A context manager. Node 1 stands behind relays, which
    can cut it off or slow it."""

    RELAYED = 1

    def __init__(self, small_disk_of=None, relay=Relay):
        """`small_disk_of` is a node whose device is to be a SmallDisk; `relay` the kind of node 1's relays."""
        self.small_disk_of, self.small_disk = small_disk_of, None
        super().__init__(devices=len(NODES), replicas=3, pipeline="catch_errors gatekeeper healthcheck proxy-logging "
                         "cache listing_formats tempauth proxy-server")
        self.node_ports = {(kind, node): free_port(address(node)) for kind in KINDS for node in NODES}
        self.relays = {kind: relay(address(self.RELAYED), (address(self.RELAYED), self.node_ports[kind, self.RELAYED]))
                       for kind in KINDS}

    def __enter__(self):
        try:
            for relay in self.relays.values():
                relay.__enter__()
            super().__enter__()
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        for child in self.children.values():
            if child.process.poll() is None:
                child.signal_all(signal.SIGKILL)
            child.kill()
        for relay in self.relays.values():
            if relay.port is not None:
                relay.__exit__()
        if self.small_disk is not None:
            self.small_disk.close()
        super().close()

    def write(self):
        super().write()
        if self.small_disk_of is not None:
            self.small_disk = SmallDisk(self.folder / "image", self.devices_root / f"d{self.small_disk_of}")

    def port_in_ring(self, kind, node):
        return self.relays[kind].port if node == self.RELAYED else self.node_ports[kind, node]

    def _ring(self, kind):
        self.make_ring(kind, [f"r1z{node}-{address(node)}:{self.port_in_ring(kind, node)}/d{node}" for node in NODES])

    def _server_conf(self, kind):
        super()._server_conf(kind)
        text = (self.conf / f"{kind}-server.conf").read_text().replace("log_level = ERROR", "log_level = INFO")
        for node in NODES:
            (self.conf / f"{kind}-{node}.conf").write_text(
                text.replace("bind_ip = 127.0.0.1\n", f"bind_ip = {address(node)}\nlog_to = stderr\n")
                .replace(f"bind_port = {self.ports[kind]}\n", f"bind_port = {self.node_ports[kind, node]}\n"))

    def _proxy_conf(self):
        super()._proxy_conf()
        conf = self.conf / "proxy-server.conf"
        conf.write_text(conf.read_text().replace("log_level = ERROR", "log_level = DEBUG\nlog_to = stderr").replace(
            "use = egg:swift#proxy\n", "use = egg:swift#proxy\nconn_timeout = 1\nnode_timeout = 5\n"
            f"error_suppression_limit = 3\nerror_suppression_interval = {SUPPRESSED}\n"))

    def start(self, kinds=None):
        super().start(())
        for node in NODES:
            self.start_node(node)
        self.start_proxy()

    def start_node(self, node):
        """Also again, after its end; back once it listens."""
        child = Child([APUS, "serve", *(self.conf / f"{kind}-{node}.conf" for kind in KINDS)],
                      self.folder / "log" / f"node{node}.log")
        self.children[node] = child
        for kind in KINDS:
            self._wait(child, self.node_ports[kind, node], address(node))

    def start_proxy(self):
        self.children["proxy"] = Child([APUS, "serve", self.conf / "proxy-server.conf"],
                                       self.folder / "log" / "proxy.log")
        self._wait(self.children["proxy"], self.port, "127.0.0.1")

    @staticmethod
    def _wait(child, port, host):
        try:
            wait_for_port(port, child.process, 60, host)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{child.output()}") from None

    def send(self, which, number):
        """A signal to the first process of a node or of "proxy"."""
        self.children[which].process.send_signal(number)

    def proxy_log(self):
        return self.children["proxy"].output()

    def limited(self, node, kind="object"):
        """How often the log says that the proxy left the node's device alone."""
        return self.proxy_log().count(
            f"Node error limited {address(node)}:{self.port_in_ring(kind, node)} (d{node})")

    def primaries(self, kind, partition):
        from swift.common.ring.ring import RingData
        ring = RingData.load(str(self.conf / f"{kind}.ring.gz"))
        return [ring.devs[row[partition]] for row in ring._replica2part2dev_id]

    def handed_off(self, node):
        """Objects that were put on the node's device although it is none of their primaries'."""
        from swift.common.ring.ring import RingData
        ring = RingData.load(str(self.conf / "object.ring.gz"))
        return [path for partition, path in re.findall(rf'"PUT /d{node}/(\d+)/(AUTH_test/\S+)" 201',
                                                       self.children[node].output())
                if all(ring.devs[row[int(partition)]]["device"] != f"d{node}" for row in ring._replica2part2dev_id)]

    def bring_rows(self, seconds=120):
        """One pass of Debian's object-updater over all devices, then one of each node's container-replicator: rows that
        containers missed reach them. The second is for those whose object server was not waited for once a write had
        its quorum."""
        conf = self.conf / "object-updater.conf"
        conf.write_text((self.conf / "object-server.conf").read_text() + "[object-updater]\nnode_timeout = 20\n")
        done = self.run_program("object-updater", conf, "once", "-v", seconds=seconds)
        if done.returncode != 0:
            raise RuntimeError(f"swift-object-updater: {done.stdout}{done.stderr}")
        for node in NODES:
            conf = self.conf / f"container-replicator-{node}.conf"
            text = (self.conf / f"container-{node}.conf").read_text()
            # The ring's port is how it knows its device.
            conf.write_text(text.replace(f"bind_port = {self.node_ports['container', node]}\n",
                                         f"bind_port = {self.port_in_ring('container', node)}\n")
                            + "[container-replicator]\n")
            done = subprocess.run([APUS, "container-replicator", conf, "once"], text=True, timeout=seconds,
                                  capture_output=True)
            if done.returncode != 0:
                raise RuntimeError(f"container-replicator of node {node}: {done.stdout}{done.stderr}")

    def listings(self, container):
        """What each primary itself lists of the account's container: a set of names of each."""
        path = f"/AUTH_test/{container}"
        partition = partition_of(path, self.part_power)
        out = []
        for device in self.primaries("container", partition):
            client = Client(device["port"], device["ip"])
            answer = client.request("GET", f"/{device['device']}/{partition}{path}")
            client.close()
            out.append(set(answer.body.decode().split()))
        return out

    def logs(self):
        return "".join(f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}\n"
                       for path in sorted((self.folder / "log").iterdir()))
