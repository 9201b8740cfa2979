"""Apus' tools for operators by their names of Swift's. Debian's are DebianSwift.run_program's."""

import shutil
import subprocess

from harness.processes import BUILD


def missing_tools(*names):
    return [name for name in names if shutil.which(f"swift-{name}") is None]


def run_apus(name, *words, stdin="", seconds=120):
    """By its name of Swift's: a link to the one executable."""
    return subprocess.run([str(BUILD / "bin" / f"swift-{name}"), *map(str, words)], input=stdin,
                          capture_output=True, text=True, errors="surrogateescape", timeout=seconds)
