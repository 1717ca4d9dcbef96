"""A product of the files of this working tree, made as `make new` makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .checkout import bare_environment, copy_into, lend_packages, run

NAME = "Acme & Söhne Portal"


def new_source(folder: Path) -> Path:
    """Return a repository with this working tree as its one commit, tagged v1.0.0."""
    return begin(copy_into(folder))


def new_product(folder: Path, source: Path | None = None, **answers: str) -> Path:
    """Make a product of the source in the folder, with the packages of this environment.

    The answers are those of `make new`, such as ACCENT="#0b7285".
    """
    source = source or new_source(folder.parent / "source")
    answers = {"NAME": NAME} | answers
    done = run(sys.executable, "scripts/new.py", cwd=source, DIR=str(folder), **answers)
    assert done.returncode == 0, done.stderr
    return lend_packages(folder)


def begin(folder: Path) -> Path:
    """Make the folder a repository with its files as the one commit, tagged v1.0.0."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Begin", tag="v1.0.0")
    return folder


def commit(folder: Path, message: str, tag: str = "") -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    if tag:
        git(folder, "tag", tag)


def git(folder: Path, *command: str) -> str:
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "tag.gpgsign=false")
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "-c", "commit.gpgsign=false", *author, *command],
        cwd=folder,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
