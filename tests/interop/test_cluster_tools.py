"""The operators' tools that ask servers, Debian's and Apus', of a cluster with nodes of both kinds."""

import http.server
import json
import pathlib
import re
import shutil
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import KINDS, missing_parts  # noqa: E402
from harness.mixed_cluster import MixedCluster  # noqa: E402
from harness.operators import DebianTools, missing_tools, run_apus  # noqa: E402
from harness.processes import free_port  # noqa: E402

# What daemons leave, as numbers that are easy to tell apart.
RECON = {
    "object": {"async_pending": 7, "object_replication_time": 1.5, "object_replication_last": 1700000000.5,
               "replication_time": 2.5, "replication_last": 1700000100.5,
               "replication_stats": {"attempted": 5, "failure": 1, "success": 4},
               "object_updater_sweep": 0.25, "object_expiration_pass": 3.0, "expired_last_pass": 11,
               "object_reconstruction_time": None, "object_reconstruction_last": None,
               "object_auditor_stats_ALL": {"d1d2": {"audit_time": 9.5, "bytes_processed": 1234, "passes": 3, "errors": 0,
                                                     "quarantined": 1, "start_time": 1700000000},
                                            "d3": {"audit_time": 1, "bytes_processed": 1, "passes": 1, "errors": 2, "quarantined": 0}},
               "object_auditor_stats_ZBF": {}},
    "container": {"replication_time": 4, "replication_last": 0, "replication_stats": {"attempted": 0, "failure": 0, "success": None},
                  "container_updater_sweep": 0, "container_audits_passed": 8, "container_audits_failed": 0,
                  "container_audits_since": 1700000000, "container_auditor_pass_completed": 0.1,
                  "sharding_time": 6, "sharding_last": 1700000000, "sharding_stats": {"attempted": 1, "failure": 0, "success": 1}},
    "account": {"account_audits_passed": None, "account_audits_failed": None, "account_audits_since": None,
                "account_auditor_pass_completed": None},
    "drive": {"drive_audit_errors": 2},
}
# Numbers that are others a moment later.
VOLATILE = ("-l", "--sockstat", "-d", "-T")


class Cluster(MixedCluster):
    """Node 1 is Debian's, node 2 Apus'; back ends answer /recon."""

    def _server_conf(self, kind):
        super()._server_conf(kind)
        path = self.conf / f"{kind}-server.conf"
        path.write_text(path.read_text().replace("pipeline = ", "pipeline = recon ") + "[filter:recon]\nuse = egg:swift#recon\n"
                        f"recon_cache_path = {self.folder / 'recon'}\n")

    def start(self, kinds=()):
        for name, content in RECON.items():
            (self.folder / "recon" / f"{name}.recon").write_text(json.dumps(content) + "\n")
        super().start(kinds)

    def __enter__(self):
        super().__enter__()
        try:
            self.mix({(kind, 2) for kind in KINDS})
        except BaseException:
            self.close()
            raise
        return self


class Liar(http.server.BaseHTTPRequestHandler):
    """Says `answer`, whatever was asked."""

    answer = (200, b"", {})

    def do_GET(self):
        status, body, headers = Liar.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_OPTIONS = do_GET

    def log_message(self, *words):
        pass


def calm(text, numbers=False):
    """Without the time of the day, hosts in any order."""
    text = re.sub(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]", "[TIME]", text)
    text = re.sub(r"\(\d+ days ago\) by [\d.:]+", "(AGO) by HOST", text)  # of hosts that tell the same, either
    text = re.sub(r"NEVER by [\d.:]+", "NEVER by HOST", text)
    if numbers:
        text = re.sub(r"\*+", "*", re.sub(r"\d+(\.\d+)?(e-\d+)?", "N", text))
    return sorted(text.splitlines())


@unittest.skipIf(missing_parts() or missing_tools("recon"), "Debian's Swift is not installed")
class ClusterTools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster())
        cls.debian = cls.enterClassContext(DebianTools(cls.cluster))

    def recon(self, *words, numbers=False):
        debian = self.debian.run("recon", "--swiftdir", self.cluster.conf, *words)
        apus = run_apus("recon", "--swiftdir", self.cluster.conf, *words)
        self.assertEqual(calm(apus.stdout, numbers), calm(debian.stdout, numbers), f"{words}\n{apus.stderr}{debian.stderr}")
        self.assertEqual(apus.returncode, debian.returncode)
        return apus.stdout

    def test_recon_of_each_kind(self):
        for kind in KINDS:
            for flag in ("-a", "-r", "-u", "-R", "--auditor", "--updater", "--expirer", "--sharding", "--validate-servers",
                         "--md5", "-q", "--driveaudit", "--swift-versions", "-l", "--sockstat", "-d", "-T"):
                with self.subTest(kind=kind, flag=flag):
                    self.recon(kind, flag, numbers=flag in VOLATILE)

    def test_recon_figures(self):
        text = self.recon("-a", "-r")
        self.assertIn("[async_pending] low: 7, high: 7, avg: 7.0, total: 14, Failed: 0.0%, no_result: 0, reported: 2", text)
        self.assertIn("2/2 hosts matched", self.recon("container", "--md5"))
        self.assertIn("reported: 2", self.recon("object", "--auditor"))

    def test_recon_all(self):
        for kind in KINDS:
            self.recon(kind, "--all", "--top", "2", "--lowest", "1", "--human-readable", numbers=True)
        self.recon("container", "-z", "2", "-q")
        self.recon("-p", "Policy-0", "--region", "1", "-q")
        self.recon("account", "--region", "9", "-q")

    def test_recon_arguments(self):
        here = ("--swiftdir", self.cluster.conf)
        self.assertIn("--swiftdir", run_apus("recon").stdout)
        for words, status, said in ((("acount", "-q"), 1, "expected account, container, object"), (("-q", "-p", "gold"), 2, "--policy gold"),
                                    (("--qarantined",), 2, "'--qarantined'"), (("--top", "x"), 2, "--top"), (("-t", "0"), 2, "--timeout")):
            with self.subTest(words=words):
                done = run_apus("recon", *here, *words)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (status, 1), done.stderr)
                self.assertIn(said, done.stderr)

    def test_recon_of_liars(self):
        """Nothing that a host says ends the tool, or is taken for a number; one that is down is told."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        down = free_port()
        self.cluster.make_ring("liars", [f"r1z1-127.0.0.1:{port}/d{number}" for number, port in
                                         enumerate((server.server_port, down, down))])
        elsewhere = self.cluster.folder / "liars"
        elsewhere.mkdir()
        shutil.copy(self.cluster.conf / "swift.conf", elsewhere)
        for kind in KINDS:
            shutil.copy(self.cluster.conf / "liars.ring.gz", elsewhere / f"{kind}.ring.gz")
        for answer in ((200, b"", {}), (200, b"no JSON", {}), (200, b"null", {}), (200, b"[1, {}, null, \"x\"]", {}), (200, b"\"x\"", {}),
                       (200, b"{\"async_pending\": \"many\", \"policies\": [1], \"replication_stats\": 7, \"1m\": null}", {}),
                       (200, b"[{\"mounted\": true, \"size\": 0, \"used\": -1e300, \"avail\": 1e300, \"device\": 3}, {\"mounted\": true, "
                             b"\"size\": 1, \"used\": -1e300, \"avail\": 1e300, \"device\": null}]", {}),
                       (200, b"{\"a\":" * 5000 + b"1" + b"}" * 5000, {}), (200, b"1e300", {}), (200, b"{\"account\": ", {"Content-Length": "99999"}),
                       (500, b"oh", {}), (200, b"{}", {"Server": "\xff" * 3000})):
            Liar.answer = answer
            for kind in KINDS:
                with self.subTest(answer=answer[1][:60], kind=kind):
                    done = run_apus("recon", "--swiftdir", elsewhere, kind, "--all", "--top", "1", "-t", "2")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn(f"-> http://127.0.0.1:{down}/recon/load: <urlopen error", done.stdout)
                    self.assertIn("TOP 1\n", done.stdout)
                    self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
