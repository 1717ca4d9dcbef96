"""A copy of the project, as in a new checkout, with a clean environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
VARIABLES = set(re.findall(r'(?:env\.\w+|number|switch|rates)\(\s*"([A-Z][A-Z_]*)"', SETTINGS))
for given in re.findall(r'credentials\(("[^)]*)\)', SETTINGS):
    VARIABLES |= set(re.findall(r'"([A-Z_]+)"', given))


def bare_environment(**variables: str) -> dict[str, str]:
    """Return this environment with these, and no other variables that the project or tools read."""
    ours = VARIABLES | {f"{name}_FILE" for name in VARIABLES}
    ours |= {"PYTHON", "PORT", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith(("DJANGO_", "GIT_", "MAKE", "MFLAGS"))
    }
    return kept | variables


def copy_into(folder: Path) -> Path:
    """Copy the files that git has or would add, so neither .venv nor .env."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        compiled, theirs = (path.parent / "__pycache__" for path in (source, target))
        if compiled.is_dir() and not theirs.exists():  # saves seconds per copy
            shutil.copytree(compiled, theirs, ignore=shutil.ignore_patterns("*.pyc.*"))
        shutil.copy2(source, target)  # with its time, which Python compares with compiled files
    return folder


def lend_packages(folder: Path) -> Path:
    """Give the copy a .venv with the packages of this one, so that nothing is installed."""
    venv, ours = folder / ".venv", Path(sys.prefix)
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(ours / name)
    for lock in folder.glob("requirements*.txt"):
        shutil.copy(lock, venv / f"installed-{lock.name}")
    return folder


def run(
    *command: str, cwd: Path = ROOT, timeout: int = 300, **variables: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=bare_environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence of the command's error."""
    assert done.returncode != 0
    sentences = [line for line in done.stderr.splitlines() if line and line[:4] != "make"]
    assert len(sentences) == 1, done.stderr
    return sentences[0]
