"""Debian's Swift programs, started by fork from one Python that has imported Swift: the import, a second of CPU, is most
of what a short one costs.

A program runs as it would by itself: the same script, arguments and environment in a session of its own, and it is a
child of the test's process (which becomes the parent of all orphans below it: Linux' "child subreaper")."""

import atexit
import ctypes
import gc
import importlib
import json
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile
import time

PYTHON = "/usr/bin/python3"
PR_SET_CHILD_SUBREAPER = 36
# What programs import before they patch anything. Filters come with their conf.
MODULES = ("swift.cli.info", "swift.cli.ringbuilder", "swift.common.daemon", "swift.common.wsgi", "swift.proxy.server",
           *(f"swift.account.{name}" for name in ("auditor", "reaper", "replicator", "server")),
           *(f"swift.container.{name}" for name in ("auditor", "reconciler", "replicator", "server", "sharder", "sync",
                                                    "updater")),
           *(f"swift.obj.{name}" for name in ("auditor", "expirer", "replicator", "server", "updater")))
_parent = None


def end():
    _parent.stdin.close()  # what it waits for
    _parent.wait(10)
    _parent.stdout.close()


class Process:
    """What a test needs of subprocess.Popen, for a child that this process did not start itself."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=None):
        """As Popen's: raises subprocess.TimeoutExpired."""
        end = None if timeout is None else time.monotonic() + timeout
        pause = 0.001
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"pid {self.pid}", timeout)
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)


def start(script, words, environment, out, err, given=os.devnull):
    """Runs a script of Swift's: the Process. Its output is appended to the paths `out` and `err`, its input is the file
    `given`. Not for several threads at once."""
    global _parent
    if _parent is None:
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        _parent = subprocess.Popen([PYTHON, "-W", "ignore", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env={**environment, "EVENTLET_NO_GREENDNS": "yes", "PYTHONPATH": ""}, start_new_session=True)
        atexit.register(end)
    request = {"script": str(script), "words": [str(word) for word in words], "environment": environment,
               "files": [str(path) for path in (given, out, err)]}
    _parent.stdin.write(json.dumps(request).encode() + b"\n")
    _parent.stdin.flush()
    answer = _parent.stdout.readline()
    if not answer:
        raise RuntimeError(f"the parent of Swift's programs ended with {_parent.wait(10)}")
    return Process(int(answer))


def run(script, words, environment, stdin="", seconds=120):
    """A script to its end: a subprocess.CompletedProcess."""
    with tempfile.TemporaryDirectory(prefix="swift-program-") as folder:
        given, out, err = (pathlib.Path(folder, name) for name in ("in", "out", "err"))
        given.write_text(stdin, errors="surrogateescape")
        process = start(script, words, environment, out, err, given)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            raise
        return subprocess.CompletedProcess([script, *words], process.returncode,
                                           *(path.read_text(errors="surrogateescape") for path in (out, err)))


def become(script, words, environment, files):
    """Runs the script in this process, which is a fork."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    append = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for number, (path, flags) in enumerate(zip(files, (os.O_RDONLY, append, append))):
        opened = os.open(path, flags, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)
    sys.argv[:] = [script, *words]  # in its place: modules have taken the list already
    # What Python does at its start; it may bring another swift.conf.
    custom = os.path.join(environment.get("PYTHONPATH", ""), "sitecustomize.py")
    if os.path.exists(custom):
        runpy.run_path(custom)
    from swift.common.constraints import OVERRIDE_CONSTRAINTS
    if OVERRIDE_CONSTRAINTS:  # modules have copied them already
        os.execve(PYTHON, [PYTHON, "-W", "ignore", *sys.argv], environment)
    runpy.run_path(script, run_name="__main__")


def serve():
    """Requests come line by line; each answer is the process id of the program. Returns in the fork alone, with what it
    is to become; None at the end of the input."""
    for line in sys.stdin.buffer:
        told, tells = os.pipe()
        middle = os.fork()
        if middle == 0:
            child = os.fork()
            if child == 0:
                os.close(told)
                os.close(tells)
                return json.loads(line)
            os.write(tells, f"{child}\n".encode())
            os._exit(0)
        os.close(tells)
        os.waitpid(middle, 0)  # from now on the program's parent is the test
        os.write(1, os.read(told, 100))
        os.close(told)
    return None


def without_collecting(function):
    """Eventlet collects garbage for each of the locks that it replaces where a server starts, which takes longer than all
    the rest of the start. What this process has was collected before the first fork."""
    def run():
        collect, gc.collect = gc.collect, lambda: 0
        try:
            function()
        finally:
            gc.collect = collect
    return run


def main():
    sys.path[0] = "/usr/bin"  # as for a script that lies there; and the harness has modules named as Python's own
    for module in MODULES:
        importlib.import_module(module)
    import swift.common.utils
    swift.common.utils.eventlet_monkey_patch = without_collecting(swift.common.utils.eventlet_monkey_patch)
    gc.collect()
    request = serve()
    if request is not None:
        become(**request)


if __name__ == "__main__":
    main()
