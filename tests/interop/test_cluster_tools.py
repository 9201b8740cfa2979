"""The operators' tools that ask servers, Debian's and Apus', of a cluster with nodes of both kinds."""

import hashlib
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
from harness.http import Client  # noqa: E402
from harness.mixed_cluster import MixedCluster  # noqa: E402
from harness.operators import missing_tools, run_apus  # noqa: E402
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


def hash_of(swift, path):
    """The name of an object's folder; the salt is that of DebianSwift's swift.conf."""
    return hashlib.md5(f"oracle{path}oracle".encode()).hexdigest()


def read_rows(database):
    """[account, container, name, created_at, size, content_type, etag, deleted, policy] of a container's rows, pending ones too."""
    from swift.container.backend import ContainerBroker
    broker = ContainerBroker(str(database))
    info = broker.get_info()
    with broker.get() as connection:
        return [[info["account"], info["container"], *row] for row in connection.execute(
            "SELECT name, created_at, size, content_type, etag, deleted, storage_policy_index FROM object")]


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

    def recon(self, *words, numbers=False):
        debian = self.cluster.run_program("recon", "--swiftdir", self.cluster.conf, *words)
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

    def dispersion_conf(self, door, **options):
        path = self.cluster.folder / f"dispersion-{door}{''.join(options)}.conf"
        lines = {"auth_url": f"http://127.0.0.1:{self.cluster.doors[door]}/auth/v1.0", "auth_user": "test:tester",
                 "auth_key": "testing-key", "swift_dir": self.cluster.conf, "retries": "1", "concurrency": "4", **options}
        path.write_text("[dispersion]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items()))
        return path

    def dispersion(self, *words, door="debian"):
        """The report of both, which is the same; that of Apus, and its stderr."""
        conf = self.dispersion_conf(door)
        debian, apus = self.cluster.run_program("dispersion-report", *words, conf), run_apus("dispersion-report", *words, conf)
        self.assertEqual((debian.returncode, apus.returncode), (0, 0), f"{debian}\n{apus}")
        steady = lambda text: sorted(re.sub(r", \d+s, ", ", TIME, ", text).replace("\x1b[K", "").split("\n"))
        if "-j" in words:
            self.assertEqual(json.loads(apus.stdout), json.loads(debian.stdout))
        else:
            self.assertEqual(steady(apus.stdout), steady(debian.stdout))
        return apus.stdout, apus.stderr, debian.stderr

    def listing(self, path):
        client = Client(self.cluster.doors["debian"]).authenticate("test:tester", "testing-key")
        answer = client.request("GET", client.account + path)
        client.close()
        return [name for name in answer.body.decode().split() if name.startswith("dispersion_")]

    def test_dispersion(self):
        self.assertIn("No containers to query", self.dispersion()[1])
        apus = run_apus("dispersion-populate", self.dispersion_conf("apus"))
        self.assertEqual(apus.returncode, 0, apus.stderr)
        self.assertRegex(apus.stdout, r"^Using storage policy: Policy-0 \n\n\x1b\[KCreated 10 containers for dispersion reporting, "
                                      r"\d+s, \d+ retries\n\n\x1b\[KCreated 10 objects for dispersion reporting, \d+s, \d+ retries\n$")
        made = self.listing(""), self.listing("/dispersion_objects_0")
        self.assertEqual([len(names) for names in made], [11, 10])
        # Debian's chooses the same names: nothing new comes.
        debian = self.cluster.run_program("dispersion-populate", self.dispersion_conf("debian"))
        self.assertEqual(debian.returncode, 0, debian.stderr)
        self.assertEqual((self.listing(""), self.listing("/dispersion_objects_0")), made)
        for door in ("debian", "apus"):
            text = self.dispersion(door=door)[0]
            self.assertIn("100.00% of container copies found (3", text)
            self.assertIn("100.00% of object copies found (30 of 30)", text)
        figures = json.loads(self.dispersion("-j")[0])
        self.assertEqual((figures["object"]["copies_found"], figures["object"]["missing_0"]), (30, 10))
        for words in (("--container-only",), ("--object-only", "-P", "Policy-0")):
            self.dispersion(*words)
        # Only where there is none yet, and both count on.
        for tool in (run_apus, self.cluster.run_program):
            done = tool("dispersion-populate", "--no-overlap", "--object-only", "--object-suffix-start", "0", self.dispersion_conf("apus"))
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.listing("/dispersion_objects_0")), 30)
        self.assertIn("Total object coverage is now 2.93%", done.stdout)
        # Two copies of one object are lost.
        lost = list(self.cluster.devices_root.glob("d*/objects/*/*/*"))
        first = [path for path in lost if path.name == lost[0].name][:2]
        for path in first:
            shutil.rmtree(path)
        text, *errors = self.dispersion("-p", "-d")
        self.assertIn("! There was 1 partition missing 2 copies.", text)
        for error in errors:
            self.assertRegex(error, r"# Object partition \d+ missing 2 copies")
            self.assertRegex(error, r"ERROR: 127.0.0.1:\d+/d\d returned a 404")
        self.assertEqual(json.loads(self.dispersion("-j", "--object-only")[0])["object"]["missing_2"], 1)

    def test_dispersion_arguments(self):
        for words, said in (((self.cluster.folder / "none.conf",), "Unable to read config file"),
                            (("-P", "gold", self.dispersion_conf("apus")), "Unable to find policy: gold"),
                            (("--container-only", "--object-only", self.dispersion_conf("apus")), "Neither container or object"),
                            ((self.dispersion_conf("apus", auth_key="wrong"),), "401"), ((self.dispersion_conf("apus", concurrency="x"),), "concurrency"),
                            ((self.dispersion_conf("apus", auth_version="2.0"),), "auth_version = 2.0")):
            for tool in ("dispersion-populate", "dispersion-report"):
                with self.subTest(words=words, tool=tool):
                    done = run_apus(tool, *words)
                    self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done)
                    self.assertIn(said, done.stderr)

    def test_account_audit(self):
        client = Client(self.cluster.doors["debian"]).authenticate("test:tester", "testing-key")
        for path in ("/audit", "/audit-2"):
            client.request("PUT", client.account + path)
        for number in range(5):
            client.request("PUT", f"{client.account}/audit/o {number}", b"x" * number)
        here = ("-r", self.cluster.conf)
        calm = lambda text: sorted(text.splitlines())

        def both(*words, stdin=""):
            debian = self.cluster.run_program("account-audit", *here, *words, stdin=stdin)
            apus = run_apus("account-audit", *here, *words, stdin=stdin)
            self.assertEqual((debian.returncode, apus.returncode), (0, 0), f"{debian}\n{apus}")
            self.assertEqual(calm(apus.stdout), calm(debian.stdout), f"{words}\n{apus.stderr}{debian.stderr}")
            return apus.stdout

        self.assertIn("Objects checked: 5", both("AUTH_test/audit"))
        self.assertIn("Objects checked: 5", both("-d", "/AUTH_test/audit"))
        both("-c", "3", "AUTH_test/audit/o 1", "AUTH_test/audit-2")
        both(stdin="AUTH_test/audit/o 1\r\nAUTH_test/audit/o 2\n")
        self.assertIn("missing in container listing", both("AUTH_test/audit/nothing"))
        self.assertIn("not in account listing", both("AUTH_test/nothing"))
        self.assertIn("don't agree", both("AUTH_nobody"))
        # One copy is lost, one is damaged behind its server's back.
        name = lambda number: hash_of(self.cluster, f"/AUTH_test/audit/o {number}")
        shutil.rmtree(self.cluster.data_files()[name(1)][0].parent)
        with open(self.cluster.data_files()[name(4)][0], "r+b") as data:
            data.write(b"y")
        text = both("AUTH_test/audit")
        self.assertIn("Bad status 404 HEADing object \"/AUTH_test/audit/o 1\"", text)
        errors = self.cluster.folder / "errors"
        done = run_apus("account-audit", *here, "-d", "-e", errors, "AUTH_test/audit")
        self.assertIn("/AUTH_test/audit/o 4\" on", done.stdout)
        self.assertEqual(sorted(errors.read_text().splitlines()), ["/AUTH_test/audit/o 1", "/AUTH_test/audit/o 4"])
        client.close()

    def test_container_deleter(self):
        conf = self.cluster.conf / "internal-client.conf"
        conf.write_text(f"[DEFAULT]\nswift_dir = {self.cluster.conf}\nlog_to = stderr\n[pipeline:main]\npipeline = catch_errors cache proxy-server\n"
                        "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n[filter:catch_errors]\nuse = egg:swift#catch_errors\n"
                        f"[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = {self.cluster.memcache}\n")
        client = Client(self.cluster.doors["apus"]).authenticate("test:tester", "testing-key")
        client.request("PUT", client.account + "/rid")
        for name in ("a", "b/1", "b/\u00fc", "c"):
            client.request("PUT", f"{client.account}/rid/{name}", b"x")
        client.close()
        for tool, when in ((self.cluster.run_program, "1700000001.5"), (run_apus, "1700000002.5")):
            for words, count in ((("--prefix", "b/"), 2), (("--marker", "b/1"), 2), (("--end-marker", "b"), 1), ((), 4)):
                with self.subTest(words=words):
                    done = tool("container-deleter", "--config", conf, *words, "AUTH_test", "rid", "--timestamp", when)
                    self.assertEqual((done.returncode, done.stdout), (0, f"Finished. Marked {count} objects for deletion.\n"), done.stderr)
            self.assertEqual(tool("container-deleter", "--config", conf, "AUTH_test", "none").stdout, "Finished. Marked 0 objects for deletion.\n")
            self.assertEqual(tool("container-deleter", "--config", conf, "AUTH_test").returncode, 2)
            self.assertEqual(tool("container-deleter", "--config", conf, "AUTH_test", "rid", "--timestamp", "soon").returncode, 2)
        # The rows of both, in the queue's databases, differ in their times alone.
        rows = {}
        for path in self.cluster.devices_root.glob("d*/containers/*/*/*/*.db"):
            for account, container, *row in read_rows(path):
                if account == ".expiring_objects":
                    rows.setdefault(container, set()).add(tuple(str(value).replace(container, "T") for value in row))
        self.assertEqual(len(rows["1700000001"]), 4)
        self.assertEqual(rows["1700000001"], rows["1700000002"])

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
