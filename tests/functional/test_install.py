"""The SDK as a third party has it: installed under a prefix of its own, and nothing of this tree but that.

New projects of all kinds, and the one in doc/plugins.md, are built, tested, inspected and, the last one,
served from.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import processes  # noqa: E402
from harness.http import Client  # noqa: E402

BUILD, ROOT = processes.BUILD, processes.ROOT


def cache_value(name):
    """A value of the build's own CMake cache."""
    text = (BUILD / "CMakeCache.txt").read_text()
    return re.search(rf"^{name}:\w+=(.*)$", text, re.M).group(1)


def run(*command, status=0, cwd=None):
    """Runs to the end; the output. Fails, with the output shown, unless the exit status is as said."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, text=True, timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != status:
        raise AssertionError(f"{command} ended with {done.returncode}, not {status}:\n{done.stdout}")
    return done.stdout


def code_of(page):
    """The files that a page of the documentation shows: {name: text}."""
    found = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", page.read_text(), re.M | re.S)
    return dict(found)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.apus = cls.prefix / "bin" / "apus"

    def build_and_test(self, source):
        build = source / "build"
        run("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={cache_value('CMAKE_CXX_COMPILER')}",
            "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
        run("cmake", "--build", build, "--parallel", "2")
        self.assertIn("100% tests passed", run("ctest", "--test-dir", build, "--output-on-failure"))
        self.assertNotIn(str(ROOT), (build / "CMakeCache.txt").read_text())
        return build

    def test_the_tree_without_its_tests_follows_the_tree_with_them(self):
        """As `servers/start` after `tests/run`: the build folder's cache remembers what was said of the tests."""
        build = self.folder / "plain"
        run("cmake", "-S", ROOT, "-B", build, "-DAPUS_TOGETHER=tests")
        run("cmake", "-S", ROOT, "-B", build, "-DAPUS_TESTS=OFF")

    def test_everything_is_there(self):
        for name in ("bin/apus", "include/apus/plugin.h", "include/apus/testing/lint.h",
                     "share/apus/etc/all-in-one/proxy-server.conf", "share/man/man1/apus.1"):
            self.assertTrue((self.prefix / name).is_file(), name)
        names = {path.stem for path in self.prefix.glob("lib*/apus/*.so")}
        built = {path.stem for path in (BUILD / "lib" / "apus").glob("*.so")}
        self.assertEqual(names, built)
        self.assertLessEqual({"proxy", "account", "container", "object", "tempauth"}, names)
        headers = ROOT / "framework" / "include"
        self.assertEqual({path.relative_to(headers) for path in headers.rglob("*.h")},
                         {path.relative_to(self.prefix / "include")
                          for path in (self.prefix / "include").rglob("*.h")})

    def units(self):
        """The installed units of systemd: {name: text}."""
        return {path.name: path.read_text() for path in (self.prefix / "lib/systemd/system").iterdir()}

    def test_units_run_what_is_installed(self):
        units = self.units()
        servers = {f"apus-{server}.service" for server in ("proxy", "account", "container", "object")}
        daemons = {f"apus-{server}@.service" for server in ("account", "container", "object")}
        self.assertEqual(set(units), servers | daemons | {"apus-container@reconciler.service", "apus-drive-audit.service"})
        for name, text in units.items():
            self.assertNotRegex(text, r"@[A-Z]+@", name)
            program = re.search(r"^ExecStart=(\S+) ", text, re.M).group(1)
            self.assertEqual(program, str(self.apus))
        self.assertFalse((self.prefix / "share/apus/etc/systemd").exists())

    def test_every_daemon_has_a_unit(self):
        known = re.compile(r"kind: +daemon\n")
        plugins = [path for path in self.prefix.glob("lib*/apus/*-*.so")
                   if known.search(run(self.apus, "plugin", "inspect", path))]
        self.assertGreaterEqual(len(plugins), 5)
        for path in plugins:
            server, _, daemon = path.stem.partition("-")
            units = self.units()
            own = {f"apus-{server}@{daemon}.service", f"apus-{path.stem}.service"} & set(units)  # has a conf of its own
            unit = units[own.pop() if own else f"apus-{server}@.service"]
            words = re.search(r"^ExecStart=(.*)$", unit, re.M).group(1).replace("%i", daemon).split()
            shared = f"apus-{server}@.service" in units and unit == units[f"apus-{server}@.service"]
            self.assertEqual(words[2], f"/etc/swift/{f'{server}-server' if shared else path.stem}.conf")
            self.assertIn("expected CONF [once]", run(*words[:2], status=2))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not there")
    def test_systemd_takes_the_units(self):
        for name in self.units():
            unit = self.folder / name.replace("@.", "@one.")
            shutil.copy(self.prefix / "lib/systemd/system" / name, unit)
            said = run("systemd-analyze", "verify", "--man=no", unit)
            self.assertNotIn(unit.name, said)

    def test_the_unit_s_command_tells_systemd_when_it_serves(self):
        with processes.ApusUp() as store:
            self.assertEqual(store.stop(), 0)
            command = re.search(r"^ExecStart=(.*)$", self.units()["apus-proxy.service"], re.M).group(1)
            command = command.replace("/etc/swift/proxy-server.conf", str(store.data / "etc")).split()
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(str(self.folder / "notify"))
                manager.settimeout(60)
                server = subprocess.Popen(command, env={**os.environ,
                                                        "NOTIFY_SOCKET": str(self.folder / "notify")})
                try:
                    self.assertEqual(manager.recv(100), b"READY=1")
                    server.send_signal(signal.SIGUSR1)  # ExecReload
                    self.assertEqual(manager.recv(100), b"RELOADING=1")
                    self.assertEqual(manager.recv(100), b"READY=1")
                finally:
                    server.terminate()
                    self.assertEqual(server.wait(30), 0)

    def test_man_pages_name_every_option(self):
        pages = sorted((self.prefix / "share" / "man" / "man1").glob("apus-*.1"))
        self.assertGreaterEqual(len(pages), 3)
        for page in pages:
            text = page.read_text().replace("\\-", "-")
            command = page.stem.removeprefix("apus-")
            helps = [run(self.apus, command, "--help")]
            for child in re.findall(r"^  (\w+)  ", helps[0].partition("Subcommands:")[2], re.M):
                helps.append(run(self.apus, command, child, "--help"))
            for option in set(re.findall(r"(--[\w-]+)", "".join(helps))):
                self.assertIn(option, text, f"{page.name} says nothing of {option}")

    def test_new_projects_of_each_kind(self):
        for kind in ("filter", "app", "daemon", "watcher"):
            with self.subTest(kind=kind):
                source = self.folder / f"new-{kind}"
                run(self.apus, "plugin", "new", f"my_{kind}1", "--kind", kind, "--dir", source)
                build = self.build_and_test(source)
                plugin = build / "lib" / "apus" / f"my_{kind}1.so"
                said = run(self.apus, "plugin", "inspect", plugin)
                self.assertRegex(said, rf"name: +my_{kind}1\n")
                self.assertRegex(said, rf"kind: +{kind}\n")
                self.assertIn("This Apus can load it.", said)
                run("cmake", "--install", build, "--prefix", self.folder / "other")
                self.assertTrue(list((self.folder / "other").glob(f"lib*/apus/my_{kind}1.so")))

    def test_arguments_that_do_not_fit(self):
        for arguments, told in (
            (["new", "Upper"], "NAME 'Upper'"), (["new", "a/b"], "NAME 'a/b'"),
            (["new", "x" * 48], "at most 47"), (["new", ""], "NAME ''"),
            (["new", "x", "--kind", "thing"], "--kind"), (["new"], "NAME"), ([], "expected new, inspect"),
            (["inspect"], "FILE"), (["inspekt", "x"], "did you mean inspect"),
        ):
            with self.subTest(arguments=arguments):
                said = run(self.apus, "plugin", *arguments, status=2, cwd=self.folder)
                self.assertIn(told, said)
                self.assertEqual(said.count("\n"), 1, said)
        (self.folder / "full").mkdir()
        (self.folder / "full" / "mine").write_text("mine")
        self.assertIn("is there already", run(self.apus, "plugin", "new", "full", status=1,
                                              cwd=self.folder))
        self.assertEqual(os.listdir(self.folder / "full"), ["mine"])

    def test_inspect_runs_no_code_and_says_what_is_wrong(self):
        wrong = BUILD / "lib" / "wrong"
        for name, told in (("older_abi", "built for another contract: the plugin has ABI 0"),
                           ("other_compiler", "built another way: the plugin has 'gcc11 c++20'")):
            said = run(self.apus, "plugin", "inspect", wrong / f"{name}.so", status=1)
            self.assertRegex(said, r"name: +wrong\n")
            self.assertIn(told, said)
        self.assertIn("kind:     app", run(self.apus, "plugin", "inspect", wrong / "an_app.so"))
        self.assertIn("is not a shared object (no ELF file)",
                      run(self.apus, "plugin", "inspect", __file__, status=1))
        self.assertIn("cannot be read", run(self.apus, "plugin", "inspect", "/none.so", status=1))

    def test_the_code_of_the_page_and_a_body_changed_both_ways(self):
        source = self.folder / "page"
        source.mkdir()
        for name, text in code_of(ROOT / "doc" / "plugins.md").items():
            (source / name).write_text(text)
        self.assertLessEqual(len((source / "served_by.cpp").read_text().splitlines()), 25)
        self.serve_with(self.build_and_test(source) / "lib" / "apus")

    def serve_with(self, plugins):
        """The real store with two of the page's filters in its pipeline."""
        processes.APUS = self.apus
        with processes.ApusUp() as store:
            self.assertEqual(store.stop(), 0)
            conf = next(store.data.rglob("proxy-server.conf"))
            text, count = re.subn(r"^(pipeline = .*) (\S+)$", r"\1 served_by rot13 \2",
                                  conf.read_text(), flags=re.M)
            self.assertEqual(count, 1)
            text += f"\n[filter:rot13]\nuse = so:{plugins}/rot13.so\n"
            text += f"\n[filter:served_by]\nuse = so:{plugins}/served_by.so\nsite = north\n"
            conf.write_text(text)
            store.start()
            client = Client(store.port).authenticate(store.USER, store.KEY)
            self.assertEqual(client.request("PUT", f"{client.account}/c").status, 201)
            body = b"Hello, world. " * 100_000
            answer = client.request("PUT", f"{client.account}/c/o", body)
            self.assertEqual(answer.status, 201)
            answer = client.request("GET", f"{client.account}/c/o")
            self.assertEqual(answer.body, body)
            self.assertEqual(answer.headers["X-Served-By"], "north")
            client.close()
            stored = [path.read_bytes() for path in store.data.rglob("*.data")]
            self.assertTrue(stored)
            self.assertEqual(set(stored), {b"Uryyb, jbeyq. " * 100_000})


if __name__ == "__main__":
    unittest.main()
