"""Swift's operators' tools, Debian's and Apus', on the same files."""

import json
import shutil
import subprocess

from harness.debian_swift import PYTHON
from harness.processes import BUILD

# Python and Swift's modules take a second to load: one process has them, and forks for each command line.
SERVE = r"""
import io, json, os, runpy, sys, traceback
import swift.cli.info, swift.common.ring
for line in sys.stdin:
    words, folder, given = json.loads(line)
    names = [os.path.join(folder, name) for name in ("out", "err")]
    child = os.fork()
    if child == 0:
        for number, path in zip((1, 2), names):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        with open(os.path.join(folder, "in"), "w") as new: new.write(given)
        os.dup2(os.open(os.path.join(folder, "in"), os.O_RDONLY), 0)
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(n, "w", closefd=False), write_through=True) for n in (1, 2))
        sys.stdin = open(0, closefd=False)
        sys.argv = words
        status = 0
        try:
            runpy.run_path(words[0], run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            if isinstance(end.code, str): print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def missing_tools(*names):
    return [name for name in names if shutil.which(f"swift-{name}") is None]


class DebianTools:
    """Debian's tools with the swift.conf of a DebianSwift. A context manager."""

    def __init__(self, swift):
        self.folder = swift.folder
        self.process = subprocess.Popen([PYTHON, "-W", "ignore", "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=swift.environment())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def run(self, name, *words, stdin=""):
        line = [f"/usr/bin/swift-{name}", *map(str, words)]
        self.process.stdin.write(json.dumps([line, str(self.folder), stdin]) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        said = [(self.folder / stream).read_text(errors="surrogateescape") for stream in ("out", "err")]
        return subprocess.CompletedProcess(line, status, *said)


def run_apus(name, *words, stdin="", seconds=120):
    """By its name of Swift's: a link to the one executable."""
    return subprocess.run([str(BUILD / "bin" / f"swift-{name}"), *map(str, words)], input=stdin,
                          capture_output=True, text=True, errors="surrogateescape", timeout=seconds)
