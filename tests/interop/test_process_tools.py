"""`oldies` and `orphans`, Debian's and Apus', over the same processes: in a pid namespace of their own, so that
nothing else is seen, or signalled."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.operators import missing_tools  # noqa: E402
from harness.processes import BUILD  # noqa: E402

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc"]

# The first process of the namespace: starts what is looked for, runs each command line, prints what came of it.
INSIDE = r"""
import json, pathlib, subprocess, sys
folder, lines = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])

def start(*words):
    # `tail -F` waits for ever, whatever the other words are, and ps shows these.
    return subprocess.Popen(words, executable="/usr/bin/tail", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

python = "/usr/bin/python3"
children = [start(python, "/usr/bin/swift-test-one", "/nowhere/" + "long" * 30 + ".conf", "-F"),
            start(python, "/usr/bin/swift-test-two", "/nowhere/2.conf", "-F"),
            start(python, "/usr/bin/swift-test-three", "/nowhere/3.conf", "once", "-F"),
            start("/bin/python3", "/usr/bin/swift-test-four", "-F"),
            start(python, "/nowhere/swift-test-five", "-F")]
if "apus" in sys.argv[3:]:
    children += [start("/opt/bin/swift-object-server", "/nowhere/6.conf", "-F"), start("/opt/bin/apus", "serve", "-F")]
(folder / "two.pid").write_text("%d\n" % children[1].pid)
out = []
for line in lines:
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    for child in children:  # a signal that was sent has come by now or will not
        try:
            child.wait(0.2)
        except subprocess.TimeoutExpired:
            pass
    out.append([done.returncode, done.stdout, done.stderr, [child.poll() for child in children]])
print(json.dumps(out))
"""


def can_unshare():
    return shutil.which("unshare") is not None and subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


@unittest.skipIf(missing_tools("oldies", "orphans") or not can_unshare(), "no Debian's Swift, or no pid namespaces")
class ProcessTools(unittest.TestCase):
    def inside(self, lines, *more):
        """[status, stdout, stderr, how the processes ended or None] of each command line."""
        with tempfile.TemporaryDirectory() as folder:
            lines = [[word.replace("RUN", folder) for word in line] for line in lines]
            done = subprocess.run([*UNSHARE, "/usr/bin/python3", "-c", INSIDE, folder, json.dumps(lines), *more],
                                  capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

    @staticmethod
    def debian(name, *words):
        return ["/usr/bin/python3", f"/usr/bin/swift-{name}", *words]

    @staticmethod
    def apus(name, *words):
        return [str(BUILD / "bin" / f"swift-{name}"), *words]

    def test_same(self):
        runs = (("oldies", "-a", "0", "-p"), ("oldies", "-a", "1"), ("oldies",), ("orphans", "-a", "0", "-r", "RUN"),
                ("orphans", "-r", "RUN"), ("orphans", "-a", "0", "-r", "/nowhere/at/all"), ("orphans", "-a", "0", "-r", "RUN", "-k", "NOSUCH"))
        for run in runs:
            with self.subTest(run=run):
                debian, apus = self.inside([self.debian(*run), self.apus(*run)])
                # Debian's sees itself, too: it is a process of Swift under Python.
                own = [line for line in debian[1].splitlines() if run[0] in line]
                self.assertEqual([line for line in debian[1].splitlines() if line not in own and not self.is_last_pid(run, debian[1], line)],
                                 apus[1].splitlines())
                self.assertEqual(debian[0], apus[0])

    @staticmethod
    def is_last_pid(run, text, line):
        """With -p there is no name by which Debian's own line could be told: it is the last."""
        return "-p" in run and line == text.splitlines()[-1]

    def test_kill(self):
        """What is listed is signalled, and nothing else."""
        for signal, number in (("TERM", 15), ("sigusr1", 10), ("9", 9)):
            for tool in (self.debian, self.apus):
                with self.subTest(signal=signal, tool=tool.__name__):
                    [done] = self.inside([tool("orphans", "-a", "0", "-r", "RUN", "-k", signal)], "apus")
                    ended = [-number, None, None, None, None, -number if tool is self.apus else None, None]
                    self.assertEqual((done[0], done[3]), (0, ended), done)
                    self.assertTrue(done[1].endswith(f"Sending processes {signal} ({number}) signal...Done.\n"), done[1])

    def test_apus_processes(self):
        [oldies, orphans] = self.inside([self.apus("oldies", "-a", "0"), self.apus("orphans", "-w", "-a", "0", "-r", "RUN")], "apus")
        self.assertIn(" object-server /nowhere/6.conf -F\n", oldies[1])
        self.assertIn(" apus serve -F\n", oldies[1])
        self.assertIn(" object-server /nowhere/6.conf -F\n", orphans[1])
        self.assertIn("long" * 30, orphans[1])
        self.assertNotIn("apus serve", orphans[1])


if __name__ == "__main__":
    unittest.main()
