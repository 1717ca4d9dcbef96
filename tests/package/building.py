"""What the builds of all packages share: a copy of the project, and the tools."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import venv
from tests.support.checkout import ROOT, copy_into

BUILD = ROOT / "build" / "package"
DIST = BUILD / "dist"
SOURCE = BUILD / "source"
TOOLS = str(BUILD / "tools" / "bin" / "python")


def prepare() -> None:
    """Start with a new folder: the project in SOURCE, an empty DIST, and the tools."""
    shutil.rmtree(BUILD, ignore_errors=True)
    DIST.mkdir(parents=True)
    copy_into(SOURCE)
    venv.create(BUILD / "tools", Path(__file__).with_name("requirements.txt"))


def build(source: Path) -> str:
    """Build the source archive and from it the wheel, check both; return the path of the wheel."""
    before = set(DIST.iterdir())
    run(TOOLS, "-m", "build", "--outdir", str(DIST), str(source))
    archives = sorted(map(str, set(DIST.iterdir()) - before))
    run(TOOLS, "-m", "twine", "--no-color", "check", "--strict", *archives)
    return next(name for name in archives if name.endswith(".whl"))


def run(*command: str, **options: object) -> None:
    """Run a command in BUILD; end with its exit status if it fails."""
    print("$", *command, flush=True)
    done = subprocess.run(command, check=False, **{"cwd": BUILD, **options})
    if done.returncode:
        sys.exit(done.returncode)
