"""`swift-init`: starts, renews and stops Apus' daemons; and it and Debian's swift.common.manager see and stop what the
other has started, daemons of both kinds."""

import contextlib
import io
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import DebianSwift, missing_parts  # noqa: E402
from harness.processes import BUILD, alive, wait_until  # noqa: E402

try:
    from swift.common import manager
except ImportError:
    manager = None

# Holds what it is sent, and says so once.
STUBBORN = """#!/usr/bin/python3
import os, signal
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
os.setsid()
print("here I stay", flush=True)
os.dup2(os.open("/dev/null", os.O_RDWR), 1)
os.dup2(1, 2)
while True:
    signal.pause()
"""


@unittest.skipIf(manager is None or missing_parts(), "Debian's Swift is not installed")
class InitTest(unittest.TestCase):
    def setUp(self):
        self.swift = DebianSwift(pipeline="proxy-server")
        self.addCleanup(self.swift.close)
        self.swift.write()
        self.etc, self.run = self.swift.conf, self.swift.folder / "run"
        for kind, daemons in (("object", ("replicator", "auditor", "expirer")), ("container", ("updater",)), ("account", ()),
                              ("proxy", ())):
            self.add(f"{kind}-server", f"[DEFAULT]\nlog_to = file:{self.swift.folder}/log/{kind}.log\n",
                     "".join(f"[{kind}-{name}]\ninterval = 3600\n" for name in daemons))
        init = manager.Manager.__init__  # `reload` makes managers of its own, in the default run_dir
        self.saved = manager.SWIFT_DIR, dict(os.environ), init.__defaults__
        self.addCleanup(self.restore)
        manager.SWIFT_DIR, init.__defaults__ = str(self.etc), (str(self.run),)
        os.environ.update(self.swift.environment())

    def restore(self):
        for pid in self.pids().values():
            if alive(pid) and str(self.etc).encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda pid=pid: not alive(pid))
        manager.SWIFT_DIR, environment, manager.Manager.__init__.__defaults__ = self.saved
        os.environ.clear()
        os.environ.update(environment)

    def add(self, conf, default, more):
        path = self.etc / f"{conf}.conf"
        path.write_text(path.read_text().replace("[DEFAULT]\n", default, 1) + more)

    def pids(self):
        return {str(path.relative_to(self.run)): int(path.read_text() or 0) for path in self.run.rglob("*.pid*")}

    def line(self, *words, folder=BUILD / "bin", run=None):
        return [str(folder / "swift-init"), "-d", str(self.etc), "-r", str(run or self.run), *map(str, words)]

    def init(self, *words, status=0, folder=BUILD / "bin", run=None, **more):
        """What ours said."""
        done = subprocess.run(self.line(*words, folder=folder, run=run), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=240, stdin=subprocess.DEVNULL, **more)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def manage(self, command, *servers, status=0, apus=True, **options):
        """What Swift's said; it starts Apus' programs, or Debian's."""
        os.environ["PATH"] = f"{BUILD / 'bin'}:{self.saved[1]['PATH']}" if apus else self.saved[1]["PATH"]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            done = manager.Manager(servers, run_dir=str(self.run)).run_command(command, **options)
        self.assertEqual(done, status, said.getvalue())
        return said.getvalue()

    def listens(self, kind):
        with contextlib.closing(socket.socket()) as probe:
            probe.settimeout(5)
            return probe.connect_ex(("127.0.0.1", self.swift.ports[kind])) == 0

    def test_start_renew_and_stop(self):
        servers = ("proxy", "object-server", "account", "container", "object-replicator", "container-updater")
        said = self.init("start", *servers)
        pids = self.pids()
        self.assertEqual(sorted(pids), ["account-server.pid", "container-server.pid", "container-updater.pid",
                                        "object-replicator.pid", "object-server.pid", "proxy-server.pid"])
        self.assertIn(f"Starting object-replicator...({self.etc}/object-server.conf)\n", said)
        for kind in ("proxy", "object", "account", "container"):
            self.assertTrue(self.listens(kind), kind)
        for name, pid in pids.items():
            self.assertIn(f"{name[:-4]} running ({pid} - {self.etc}/", self.init(*servers, "status"))
            self.assertEqual(os.getsid(pid), pid)
            for fd in (0, 1, 2):
                self.assertEqual(os.readlink(f"/proc/{pid}/fd/{fd}"), "/dev/null")
        self.assertIn("object-replicator already started...\n", self.init("start", *servers, status=1))
        self.assertEqual(self.pids(), pids)

        self.init("object", "proxy", "reload-seamless")
        self.init("object", "reload-seamless")
        self.assertEqual(self.pids(), pids)
        said = self.init("reload", "object", "container-updater")
        self.assertIn(f"Signal object-server  pid: {pids['object-server.pid']}  signal: 1\n", said)
        self.assertIn(f"Signal container-updater  pid: {pids['container-updater.pid']}  signal: 15\n", said)
        for name in ("object-server.pid", "container-updater.pid"):
            self.assertFalse(alive(pids[name]))
            self.assertNotEqual(self.pids()[name], pids[name])
        self.assertTrue(self.listens("object"))

        pids = self.pids()
        children = pathlib.Path(f"/proc/{pids['proxy-server.pid']}/task/{pids['proxy-server.pid']}/children")
        wait_until(lambda: len(children.read_text().split()) == 1)
        worker = children.read_text().split()
        self.init("proxy", "kill-child-pids")
        wait_until(lambda: children.read_text().split() not in ([], worker))
        said = self.init("stop", *servers)
        for name, pid in pids.items():
            self.assertIn(f"{name[:-4]} ({pid}) appears to have stopped\n", said)
            self.assertFalse(alive(pid))
        self.assertEqual(self.pids(), {})
        self.assertIn("No object-server running\n", self.init("stop", *servers, status=1))
        self.init("kill", *servers)

    def test_swift_stops_what_ours_started(self):
        servers = ("object-server", "object-auditor")
        self.init("start", *servers)
        pids = self.pids()
        said = self.manage("status", *servers)
        for name, pid in pids.items():
            self.assertIn(f"{name[:-4]} running ({pid} - {self.etc}/object-server.conf)\n", said)
        self.manage("stop", *servers)
        self.assertEqual(self.pids(), {})
        self.assertFalse(any(alive(pid) for pid in pids.values()))

    def test_ours_stops_what_swift_started(self):
        for apus in (True, False):
            with self.subTest(apus=apus):
                servers = ("object-server", "object-auditor")
                self.manage("start", *servers, apus=apus)
                pids = self.pids()
                self.assertEqual(sorted(pids), ["object-auditor.pid", "object-server.pid"])
                for name, pid in pids.items():
                    python = b"python" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                    self.assertNotEqual(python, apus)
                    self.assertIn(f"{name[:-4]} running ({pid} - {self.etc}/object-server.conf)\n",
                                  self.init("status", *servers))
                self.init("stop", "object-*", "-g")
                self.assertFalse(any(alive(pid) for pid in pids.values()))
                self.assertEqual(self.pids(), {})

    def own_folder(self):
        """With a swift-init in it, and nothing else."""
        folder = self.swift.folder / "bin"
        folder.mkdir()
        (folder / "swift-init").symlink_to(BUILD / "bin" / "apus")
        return folder

    def test_swift_stops_its_own_that_ours_started(self):
        """What does not stand beside swift-init is of PATH: here Debian's."""
        servers = ("object-server", "container-updater")
        os.environ["PATH"] = self.saved[1]["PATH"]
        self.init("start", *servers, folder=self.own_folder())
        pids = self.pids()
        for name, pid in pids.items():
            self.assertIn(f"python3\0/usr/bin/swift-{name[:-4]}\0".encode(), pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
        self.manage("stop", *servers, apus=False)
        self.assertEqual(self.pids(), {})
        self.assertFalse(any(alive(pid) for pid in pids.values()))

    def test_both_say_the_same(self):
        (self.etc / "container-server").mkdir()
        for name in ("1", "2"):
            shutil.copy(self.etc / "container-server.conf", self.etc / "container-server" / f"{name}.conf")
        option = {"number": "-c", "verbose": "-v", "kill_wait": "-k"}
        for command, servers, options in (
                ("status", ("main",), {}), ("status", ("all",), {}), ("status", ("*-auditor", "proxy"), {}),
                ("status", ("container",), {"number": 2}), ("status", ("object-expirer",), {}),
                ("stop", ("rest",), {}), ("kill", ("rest",), {"verbose": True}), ("shutdown", ("proxy",), {}),
                ("reload-seamless", ("proxy", "object"), {}), ("start", ("account.7",), {"verbose": True}),
                ("start", ("container-reconciler",), {}), ("start", ("container",), {"number": 5, "verbose": True}),
                ("start", ("container-reconc*",), {}), ("restart", ("container-reconciler",), {"kill_wait": 1})):
            with self.subTest(command=command, servers=servers, options=options):
                words = [word for name, value in options.items() for word in (option[name], value) if word is not True]
                said = []
                try:
                    said = self.manage(command, *servers, **options), self.init(*servers, command, *words)
                except AssertionError:
                    said = self.manage(command, *servers, status=1, **options), self.init(*servers, command, *words, status=1)
                # Ours says what is allowed, too; Swift's `kill` says twice what does not run.
                lines = [sorted({line.partition("non-root?")[0] for line in text.splitlines()}) for text in said]
                self.assertEqual(lines[1], lines[0])

    def test_several_confs(self):
        (self.etc / "object-server").mkdir()
        text = (self.etc / "object-server.conf").read_text()
        (self.etc / "object-server.conf").rename(self.etc / "object-server" / "1.conf")
        folder = self.etc / "object-server" / "2.conf.d"
        folder.mkdir()
        (folder / "all.conf").write_text(text)
        self.init("object-replicator", "start")
        both = self.pids()
        self.assertEqual(sorted(both), ["object-replicator/1.pid", "object-replicator/2.pid.d"])
        said = self.init("object-replicator", "status", "-c", "2")
        self.assertEqual(said, f"object-replicator running ({both['object-replicator/2.pid.d']} - {folder})\n")
        self.assertEqual(self.manage("status", "object-replicator", number=2), said)
        self.init("object-replicator.1", "stop")
        self.assertEqual(sorted(self.pids()), ["object-replicator/2.pid.d"])
        said = self.init("object-replicator", "status", "-c", "1", status=1)
        self.assertEqual(said, f"object-replicator #1 not running ({self.etc}/object-server/1.conf)\n")
        self.init("start", "object-replicator", "-c", "1")
        self.assertEqual(len(self.pids()), 2)
        self.manage("stop", "object-replicator")
        self.assertEqual(self.pids(), {})

    def test_only_its_own_processes_are_signalled(self):
        other = subprocess.Popen(["sleep", "600"])
        self.addCleanup(other.wait, 10)
        self.addCleanup(other.kill)
        gone = subprocess.Popen(["true"])
        gone.wait(10)
        for text, said in ((other.pid, "with wrong pid"), (gone.pid, "Removing stale pid file"), ("soon", "with invalid pid"),
                           (-other.pid, "with invalid pid"), ("", "with invalid pid")):
            for command in ("status", "stop", "shutdown", "kill-child-pids"):
                with self.subTest(text=text, command=command):
                    self.run.mkdir(exist_ok=True)
                    (self.run / "object-server.pid").write_text(str(text))
                    told = self.init("object", command, "-v", status=1)
                    self.assertIn("No object-server running\n", told)
                    if text != gone.pid or command != "kill-child-pids":
                        self.assertIn(said, told)
                        self.assertFalse((self.run / "object-server.pid").exists())
        self.assertIsNone(other.poll())

    def test_a_wrong_conf_is_told(self):
        self.add("object-server", "[DEFAULT]\nbind_timeout = soon\n", "")
        said = self.init("object", "start", status=1)
        self.assertIn("bind_timeout: 'soon' does not fit", said)
        self.assertRegex(said, r"object-server \(\d+\) ended with status 1\n")
        self.assertEqual(self.pids(), {})
        self.assertIn("unknown command, 'begin'", self.init("object", "begin", status=1))
        self.assertIn("specify server(s) and command", self.init("start", status=1))
        (self.swift.folder / "file").write_text("")  # no pid file can be written below it
        for servers in ("object", "main"):
            said = self.init(servers, "start", status=1, run=self.swift.folder / "file" / "run")
            self.assertRegex(said, r"object-server: .*Not a directory")
        self.assertIn("swift-no-such is neither in", self.init("no-such", "start", status=1))

    def test_once_and_no_daemon(self):
        said = self.init("once", "object-replicator")
        self.assertIn(f"Running object-replicator once...({self.etc}/object-server.conf)\n", said)
        self.assertEqual(self.pids(), {})
        with tempfile.TemporaryFile("w+") as out:
            child = subprocess.Popen(self.line("no-daemon", "object", "object-auditor"), stdout=out, stderr=out,
                                     start_new_session=True)
            self.addCleanup(child.wait, 30)
            self.addCleanup(child.kill)
            wait_until(lambda: len(self.pids()) == 2 and all(self.pids().values()) and self.listens("object"))
            pids = self.pids()
            self.assertEqual({os.readlink(f"/proc/{pid}/fd/1") for pid in pids.values()},
                             {os.readlink(f"/proc/self/fd/{out.fileno()}")})
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(30), 0)
            out.seek(0)
            self.assertIn("\nuser quit\n", out.read())
        self.assertEqual(self.pids(), {})
        self.assertFalse(any(alive(pid) for pid in pids.values()))

    def test_one_that_does_not_end(self):
        """It stands beside the called swift-init, so it is started although PATH has another."""
        folder = self.own_folder()
        (folder / "swift-object-auditor").write_text(STUBBORN)
        (folder / "swift-object-auditor").chmod(0o755)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        low = (1024, hard)
        for more in ((), ("--kill-after-timeout",)):
            said = self.init("object-auditor", "start", folder=folder,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, low))
            self.assertIn("here I stay\n", said)
            [pid] = self.pids().values()
            self.assertGreaterEqual(resource.prlimit(pid, resource.RLIMIT_NOFILE)[0], min(hard, 32768))
            said = self.init("object-auditor", "stop", "-k", "1", *more, status=1, folder=folder)
            verb = "killing" if more else "giving up"
            self.assertIn(f"Waited 1 seconds for object-auditor to die; {verb}\n", said)
            self.assertEqual(alive(pid), not more)
            if not more:
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda pid=pid: not alive(pid))
        self.assertEqual(self.pids(), {})


if __name__ == "__main__":
    unittest.main()
