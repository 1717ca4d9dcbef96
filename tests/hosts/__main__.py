"""Run sites with packages that import Simple JWT themselves. `make hosts` calls it.

The packages are those of requirements.txt, in an environment of their own under build/hosts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import venv
from tests.support.checkout import ROOT

LOCK = Path(__file__).with_name("requirements.txt")
BUILD = ROOT / "build" / "hosts"
SITES = ROOT / "tests" / "projects" / "hosts"


def main() -> None:
    python = environment()
    alone = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    failed = 0
    for site in sorted(SITES.glob("*_site.py")):
        for state in ("before", "after"):  # with Simple JWT, and with this app
            run = [python, "-W", "ignore", str(site), state]
            done = subprocess.run(run, env=alone | {"PYTHONPATH": str(ROOT)}, check=False)
            print(f"{'failed' if done.returncode else 'passed'}: {site.stem} {state}", flush=True)
            failed += done.returncode != 0
    sys.exit(failed)


def environment() -> str:
    """Return the Python of the environment. It is kept until the lock file changes."""
    installed = BUILD / "installed.txt"
    lock = LOCK.read_text(encoding="utf-8")
    if installed.exists() and installed.read_text(encoding="utf-8") == lock:
        return str(BUILD / "venv" / "bin" / "python")
    BUILD.mkdir(parents=True, exist_ok=True)
    python = venv.create(BUILD / "venv", LOCK)
    installed.write_text(lock, encoding="utf-8")
    return python


if __name__ == "__main__":
    main()
