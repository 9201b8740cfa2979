"""A disk that can be full: an ext4 image of its own, mounted where a test needs it."""

import errno
import pathlib
import subprocess


class NoMount(Exception):
    """This machine lets us mount nothing; says why."""


class SmallDisk:
    """`mebibytes` mounted at `folder` until `close`. Raises NoMount."""

    def __init__(self, image, folder, mebibytes=64):
        self.folder = pathlib.Path(folder)
        self.filler = self.folder / "filler"
        with open(image, "wb") as file:
            file.truncate(mebibytes << 20)
        self._run("mkfs.ext4", "-q", "-m", "0", image)
        self._run("mount", "-o", "loop", image, self.folder)

    @staticmethod
    def _run(*command):
        try:
            done = subprocess.run([str(part) for part in command], text=True, capture_output=True)
        except FileNotFoundError:
            raise NoMount(f"{command[0]} is not installed") from None
        if done.returncode != 0:
            raise NoMount(f"{command[0]}: {done.stderr.strip()}")

    def fill(self):
        """Not a byte is left."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def clear(self):
        self.filler.unlink()

    def close(self):
        subprocess.run(["umount", str(self.folder)], capture_output=True)
