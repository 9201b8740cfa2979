"""What the client journeys share: a store that answers, trees of real files, checksums."""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import ApusUp  # noqa: E402


def run(*command, env=None, cwd=None, check=True, seconds=600):
    """Runs a client and returns it; a failure carries what it printed."""
    done = subprocess.run([str(part) for part in command], env=env, cwd=cwd, timeout=seconds,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done


def checksums(folder):
    """Relative path -> MD5 of every file below."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): hashlib.md5(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def make_tree(folder, files, seed):
    """Copies real files of this machine (headers, docs) until there are `files`; odd names among them."""
    folder = pathlib.Path(folder)
    source = (path for root in ("/usr/include", "/usr/share/doc", "/usr/lib/python3")
              for path in pathlib.Path(root).rglob("*")
              if path.is_file() and not path.is_symlink() and path.stat().st_size < 300_000)
    count = 0
    for path in source:
        if count >= files:
            break
        target = folder / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        count += 1
    odd = random.Random(seed)
    for name in ("été/☃ snow man.txt", "plus+and%20percent?.bin", "a b/ c", "semi;colon&amp", "empty"):
        target = folder / "odd" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"" if name == "empty" else odd.randbytes(odd.randrange(1, 5000)))
    return count + 5


class Journey(unittest.TestCase):
    """One store for the tests of a class."""

    ARGUMENTS = ()

    @classmethod
    def setUpClass(cls):
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="apus-journey-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        cls.store = ApusUp(*cls.ARGUMENTS)
        cls.addClassCleanup(cls.store.close)
        cls.store.start()
        cls.environment = {**os.environ, "ST_AUTH": cls.store.auth_url, "ST_USER": ApusUp.USER,
                           "ST_KEY": ApusUp.KEY, "HOME": str(cls.scratch)}

    def client(self):
        client = Client(self.store.port).authenticate(ApusUp.USER, ApusUp.KEY)
        self.addCleanup(client.close)
        return client
