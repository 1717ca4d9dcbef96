"""A Python environment with the packages of a lock file and no others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def create(folder: Path, lock: Path | None = None) -> str:
    """Create the environment and replace an existing one; return the path of its Python.

    Raises:
        subprocess.CalledProcessError: pip printed why the packages cannot be installed.
    """
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    if lock:
        options = ("--require-hashes", "--requirement", str(lock))
        subprocess.run([python, *PIP, "install", *options], check=True)
    return python
