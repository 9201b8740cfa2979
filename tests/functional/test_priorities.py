"""nice_priority, ionice_class, ionice_priority and cpu_scheduling reach the threads that do the work."""

import contextlib
import ctypes
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.cpu import tree_of  # noqa: E402
from harness.processes import APUS, ApusUp, Child, free_port, wait_for_port, wait_until  # noqa: E402

IOPRIO_GET = {"x86_64": 252, "aarch64": 31}.get(os.uname().machine)
IDLE = 3 << 13


def told(task):
    """(nice, policy, I/O priority) of a thread."""
    fields = pathlib.Path(f"/proc/{task}/stat").read_text().rpartition(")")[2].split()
    return int(fields[16]), int(fields[38]), ctypes.CDLL(None).syscall(IOPRIO_GET, 1, task)


def of_threads(pid, look):
    """What `look` finds at each thread, by its number."""
    found = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            found.add(look(int(task)))
    return found


def tasks(pid):
    return of_threads(pid, told)


def names(pid):
    return of_threads(pid, lambda task: pathlib.Path(f"/proc/{task}/comm").read_text().strip())


@unittest.skipIf(IOPRIO_GET is None, "the number of ioprio_get is not known for this machine")
class Priorities(unittest.TestCase):
    def change(self, store, name, *lines):
        conf = store.data / "etc" / name
        conf.write_text(re.sub(r"(?m)^\[DEFAULT\]$", "\n".join(("[DEFAULT]", *lines)), conf.read_text()))

    def test_of_servers_and_daemons(self):
        with ApusUp() as store:
            batch = {policy for _, policy, _ in tasks(store.child.pid)}
            self.assertEqual(batch, {os.SCHED_BATCH})
            store.stop()
            conf = store.data / "etc" / "object-server.conf"
            conf.write_text(conf.read_text().replace("[object-auditor]\n", "[object-auditor]\n" + "\n".join((
                "nice_priority = 7", "ionice_class = IOPRIO_CLASS_IDLE", "cpu_scheduling = other", ""))))
            store.start()
            wait_until(lambda: (7, os.SCHED_OTHER, IDLE) in tasks(store.child.pid))  # the auditor's
            found = tasks(store.child.pid) - {(7, os.SCHED_OTHER, IDLE)}
            self.assertEqual({(nice, policy) for nice, policy, _ in found}, {(0, os.SCHED_BATCH)})
            store.stop()
            for name in ("account", "container", "object", "proxy"):
                self.change(store, f"{name}-server.conf", "cpu_scheduling = other")
            store.start()
            self.assertEqual({policy for _, policy, _ in tasks(store.child.pid)}, {os.SCHED_OTHER})

    def test_what_cannot_be_is_told_and_the_rest_done(self):
        with ApusUp() as store:
            store.stop()
            for name in ("account", "container", "object", "proxy"):
                self.change(store, f"{name}-server.conf", "ionice_class = urgent", "nice_priority = 3")
            store.start()
            self.assertEqual({nice for nice, _, _ in tasks(store.child.pid)}, {3})
            self.assertIn("ionice_class: not IOPRIO_CLASS_RT", store.child.output())

    def test_of_a_supervised_worker(self):
        with ApusUp() as store:
            store.stop()
            conf = store.data / "etc" / "object-server.conf"
            port = free_port()
            conf.write_text(re.sub(r"(?m)^bind_port = .*$", f"bind_port = {port}",
                                   conf.read_text().replace("listen = no", "listen = yes")))
            supervisor = Child([APUS, "serve", conf], store.data / "serve.out")
            self.addCleanup(supervisor.kill)
            wait_for_port(port, supervisor.process)
            # The supervisor listens before the worker is there, and a thread takes its name when it runs.
            wait_until(lambda: len(tree_of([supervisor.process.pid])) == 2)
            worker, = tree_of([supervisor.process.pid]) - {supervisor.process.pid}
            if "libjemalloc" in pathlib.Path(f"/proc/{worker}/maps").read_text():  # a sanitizer's build has it not
                # It gives memory back while nothing happens.
                wait_until(lambda: "jemalloc_bg_thd" in names(worker))
            wait_until(lambda: {policy for _, policy, _ in tasks(worker)} == {os.SCHED_BATCH})


if __name__ == "__main__":
    unittest.main(verbosity=2)
