"""Proxies of both kinds over the same back ends: Debian's, or Apus'."""

from harness.debian_swift import KINDS, DebianSwift
from harness.http import Client
from harness.processes import APUS, Child, free_port, wait_for_port


class SideBySide(DebianSwift):
    """`doors` are the ports of the proxies by their names; those that start with "apus" are Apus'."""

    def __init__(self, apus_back_ends, names=("swift", "apus"), **arguments):
        super().__init__(**arguments)
        self.apus_back_ends = apus_back_ends
        self.doors = {name: free_port() for name in names}

    def __enter__(self):
        try:
            return super().__enter__()
        except BaseException:
            self.close()
            raise

    def conf_of(self, _name, text):
        """The conf of one proxy, made of that of all."""
        return text

    def start(self, kinds=None):
        if self.apus_back_ends:
            for kind in KINDS:
                self._apus(kind, self.conf / f"{kind}-server.conf", self.ports[kind])
            super().start(())
        else:
            super().start(KINDS)
        # A busy machine is no reason for a 503.
        text = (self.conf / "proxy-server.conf").read_text().replace(
            "use = egg:swift#proxy\n", "use = egg:swift#proxy\nconn_timeout = 10\nnode_timeout = 60\n")
        for name, port in self.doors.items():
            conf = self.conf / f"proxy-{name}.conf"
            conf.write_text(self.conf_of(name, text.replace(f"bind_port = {self.port}\n", f"bind_port = {port}\n")))
            if name.startswith("apus"):
                self._apus(name, conf, port)
            else:
                self.children[name] = self.program("proxy-server", conf, log=self.folder / "log" / f"{name}.log")
        for name, port in self.doors.items():
            self._wait(name, port)

    def _apus(self, name, conf, port):
        self.children[name] = Child([APUS, "serve", conf], self.folder / "log" / f"{name}.log")
        self._wait(name, port)

    def _wait(self, name, port):
        try:
            wait_for_port(port, self.children[name].process, 60)
        except RuntimeError as error:
            raise RuntimeError(f"{name}: {error}\n{self.children[name].output()}") from None

    def logs(self):
        return "".join(f"{path.name}:\n{path.read_text(errors='replace')[-2000:]}\n"
                       for path in sorted((self.folder / "log").iterdir()))


class AskingThroughDoors:
    """For test cases: `cluster` is a started SideBySide, with a client at each of its doors."""

    @classmethod
    def open_doors(cls, cluster, user="test:tester", key="testing-key"):
        cls.cluster = cls.enterClassContext(cluster)
        cls.clients = {}
        for name, port in cluster.doors.items():
            cls.clients[name] = Client(port).authenticate(user, key)
            cls.addClassCleanup(cls.clients[name].close)

    def ask(self, door, method, path, body=None, headers=None, query=None, status=None, **more):
        client = self.clients[door]
        answer = client.request(method, client.account + path, body, headers, query, **more)
        if status is not None:
            self.assertEqual(answer.status, status,
                             f"{door}: {method} {path} {headers} {query}: {answer}\n{self.cluster.logs()}")
        return answer
