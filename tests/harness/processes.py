"""Servers as child processes: started on free loopback ports, ended by process id, logs kept."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("APUS_BUILD", ROOT / "build" / "release"))
APUS = BUILD / "bin" / "apus"
GIVEN_PORTS = set()


def free_port(host="127.0.0.1"):
    """A port that nobody listens on and that nobody was given before; below those that the kernel gives to outgoing
    connections, so that a server which is stopped finds it free when it starts again."""
    first_outgoing = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.SystemRandom().sample(range(10_000, max(first_outgoing, 20_000)), 1000):
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        if port not in GIVEN_PORTS:
            GIVEN_PORTS.add(port)
            return port
    raise RuntimeError("no free port among a thousand")


def wait_for_port(port, process, seconds=20, host="127.0.0.1"):
    """Returns once something accepts on the port; raises when the process ended or time ran out."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"process ended with {process.returncode} before it listened")
        with contextlib.closing(socket.socket()) as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


def alive(pid):
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        return "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(what, seconds=20):
    """Looks every few milliseconds; AssertionError when `what()` has not become true by then."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.005)


class Child:
    """One process in its own group, its output in a file. `process`, when given, is one that runs already."""

    def __init__(self, command, log, env=None, cwd=None, process=None):
        self.log = pathlib.Path(log)
        if process is not None:
            self.process = process
            return
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, env=env, cwd=cwd, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def signal_all(self, number):
        """To the process and all that it started."""
        os.killpg(self.pid, number)

    def kill(self):
        """As a power cut for the process: SIGKILL, no goodbye."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, seconds=15):
        """SIGTERM, then SIGKILL when it does not end in time. Returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise RuntimeError(f"pid {self.pid} did not end within {seconds} s of SIGTERM")
        return self.process.returncode

    def peak_memory_mib(self):
        """The most resident memory it ever had (VmHWM)."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


class ApusUp:
    """`apus up` on a temporary or given folder. A context manager."""

    USER, KEY, ACCOUNT = "test:tester", "testing-key", "AUTH_test"

    def __init__(self, *arguments, data=None, port=None):
        self._temporary = None if data else tempfile.TemporaryDirectory(prefix="apus-")
        self.data = pathlib.Path(data or self._temporary.name)
        self.port = port or free_port()
        self.arguments = [str(part) for part in arguments]
        self.child = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    @property
    def auth_url(self):
        return f"http://127.0.0.1:{self.port}/auth/v1.0"

    def start(self):
        users = [] if any(a == "--user" for a in self.arguments) else [
            "--user", f"{self.USER}:{self.KEY}:.admin"]
        log = self.data.parent / (self.data.name + ".out")
        self.child = Child([APUS, "up", "--data", self.data, "--bind", f"127.0.0.1:{self.port}",
                            *users, *self.arguments], log)
        try:
            wait_for_port(self.port, self.child.process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{self.child.output()}") from None

    def empty_device(self, number):
        """As a new disk in the place of a broken one, while servers and daemons work on it."""
        device = self.data / "devices" / f"d{number}"
        aside = device.with_name("lost")
        device.rename(aside)
        device.mkdir()
        shutil.rmtree(aside)

    def restart_without_daemons(self):
        """For a comparison with servers that run none beside: totals of accounts would differ."""
        self.stop()
        conf = self.data / "etc" / "container-server.conf"
        before, found, _ = conf.read_text().partition("[container-updater]")
        if not found:
            raise RuntimeError(f"{conf} has no daemon")
        conf.write_text(before)
        self.start()

    def kill(self):
        self.child.kill()

    def stop(self):
        return self.child.stop()

    def close(self):
        if self.child is not None:
            self.child.kill()
            self.child.log.unlink(missing_ok=True)
        if self._temporary is not None:
            self._temporary.cleanup()
