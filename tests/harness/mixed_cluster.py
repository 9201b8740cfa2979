"""A Swift cluster whose servers are exchanged while its disks stay: each by Debian's program or by Apus."""

import collections
import pathlib
import subprocess

from harness.debian_swift import KINDS, DebianSwift
from harness.http import Client
from harness.mixed_swift import partition_of
from harness.processes import APUS, Child, free_port, wait_for_port

NODES = (1, 2)
AUDITORS = ("object-auditor", "container-auditor", "account-auditor")
# A busy machine is no reason for an error, and each copy is waited for: so copies and counts can be compared.
PATIENT = "conn_timeout = 20\nnode_timeout = 60\n"


class MixedCluster(DebianSwift):
    """Two nodes of two devices each, 3 replicas, one memcached, and before them a proxy of each kind. A context
    manager; all back ends are Debian's at first.

    `doors` are the ports of the proxies, "debian" and "apus".
    """

    def __init__(self):
        super().__init__(devices=4, replicas=3, log_level="INFO")
        self.node_ports = {(kind, node): free_port() for kind in KINDS for node in NODES}
        self.doors = {"debian": free_port(), "apus": free_port()}
        self.makers = {}

    def __enter__(self):
        try:
            self.write()
            self.start(())
            self.mix(())
            for door, port in self.doors.items():
                self._serve("proxy", door, door == "apus", port)
            for door, port in self.doors.items():
                self._wait(("proxy", door), port)
        except BaseException:
            self.close()
            raise
        return self

    def mix(self, apus):
        """From now on Apus serves the (kind, node) in `apus`, Debian's Swift the others. What stays is not touched."""
        changed = []
        for place, port in self.node_ports.items():
            maker = "apus" if place in apus else "debian"
            if self.makers.get(place) == maker:
                continue
            if place in self.children:
                self.children.pop(place).stop()
            self._serve(*place, maker == "apus", port)
            self.makers[place] = maker
            changed.append(place)
        for place in changed:
            self._wait(place, self.node_ports[place])

    def _serve(self, kind, which, apus, port):
        conf = self.conf / f"{kind}-{which}.conf"
        text = (self.conf / f"{kind}-server.conf").read_text()
        text = text.replace(f"bind_port = {self.ports[kind]}\n", f"bind_port = {port}\n")
        more = PATIENT + ("post_quorum_timeout = 60\n" if kind == "proxy" else
                          "container_update_timeout = 60\n" if kind == "object" else "")
        text = text.replace("[DEFAULT]\n", "[DEFAULT]\nlog_to = stderr\n")  # Debian's has -v for it
        conf.write_text(text.replace(f"use = egg:swift#{kind}\n", f"use = egg:swift#{kind}\n{more}"))
        log = self.folder / "log" / f"{kind}-{which}.log"
        self.children[kind, which] = Child([APUS, "serve", conf], log) if apus else self.program(
            f"{kind}-server", conf, "-v", log=log)

    def _wait(self, place, port):
        try:
            wait_for_port(port, self.children[place].process, 60)
        except RuntimeError as error:
            raise RuntimeError(f"{place}: {error}\n{self.children[place].output()}") from None

    def _ring(self, kind):
        # Devices 1 and 2 are the first node's.
        self.make_ring(kind, [f"r1z{(number + 1) // 2}-127.0.0.1:{self.node_ports[kind, (number + 1) // 2]}/d{number}"
                              for number in range(1, self.devices + 1)])

    def run_daemons(self, *names, apus=False, seconds=120, **options):
        """One pass of each of the daemons over all devices, side by side; what they printed, by name."""
        running = {}
        lines = "".join(f"{name} = {value}\n" for name, value in options.items())
        for name in names:
            kind = name.partition("-")[0]
            conf = self.conf / f"{name}.conf"
            conf.write_text((self.conf / f"{kind}-server.conf").read_text() + f"[{name}]\n{lines}")
            log = self.folder / "log" / f"{name}.log"
            log.unlink(missing_ok=True)
            running[name] = Child([APUS, name, conf, "once"], log) if apus else self.program(
                name, conf, "once", "-v", log=log)
        said = {}
        for name, child in running.items():
            try:
                status = child.process.wait(seconds)
            except subprocess.TimeoutExpired:
                status = f"nothing within {seconds} s"
                child.kill()
            said[name] = child.output()
            if status != 0:
                raise RuntimeError(f"{name} ended with {status}:\n{said[name]}")
        return said

    def audit(self):
        """Debian's three auditors once over all devices; what they said, by name."""
        return self.run_daemons(*AUDITORS, files_per_second=0, bytes_per_second=0, zero_byte_files_per_second=0,
                                containers_per_second=0, accounts_per_second=0)

    def quarantined(self):
        return sorted(str(path) for path in self.devices_root.glob("*/quarantined/*/*"))

    def data_files(self):
        """The .data files of each object, by the name of its folder: its hash."""
        out = collections.defaultdict(list)
        for path in pathlib.Path(self.devices_root).glob("d*/objects/*/*/*/*.data"):
            out[path.parent.name].append(path)
        return out

    def heads(self, kind, path):
        """What each primary itself says of "/account[/container]"."""
        from swift.common.ring.ring import RingData
        ring = RingData.load(str(self.conf / f"{kind}.ring.gz"))
        partition = partition_of(path, self.part_power)
        answers = []
        for row in ring._replica2part2dev_id:
            device = ring.devs[row[partition]]
            client = Client(device["port"])
            answers.append(client.request("HEAD", f"/{device['device']}/{partition}{path}",
                                          headers={"X-Timestamp": "0000000001.00000"}))
            client.close()
        return answers

    def logs(self, bytes_of_each=2000):
        return "".join(f"{path.name}:\n{path.read_text(errors='replace')[-bytes_of_each:]}\n"
                       for path in sorted((self.folder / "log").iterdir()))
