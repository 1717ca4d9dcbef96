"""Takes over the newest version of the starter that this product was made from: `make update`.

VERSION names another. Exit code 1 with a sentence if the update fails, and if it has conflicts,
which docs/updating.md explains.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from copier import run_update
from copier.errors import CopierError
from plumbum import ProcessExecutionError

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    if not (ROOT / ".copier-answers.yml").exists():
        sys.exit(".copier-answers.yml was not found: only a product made with Copier has updates.")
    os.chdir(ROOT)
    version = os.environ.get("VERSION") or None
    try:
        run_update(vcs_ref=version, defaults=True, overwrite=True, conflict="inline", quiet=True)
    except (CopierError, ValueError) as error:
        sys.exit(f"The update failed, and changed nothing. {error}")
    except ProcessExecutionError as error:  # of git
        reason = error.stderr.strip().splitlines()
        sys.exit(f"The update failed, and changed nothing. {reason[-1] if reason else error}")
    if conflicts := git("diff", "--name-only", "--diff-filter=U"):
        sys.exit(
            "You and the starter changed the same lines. Solve the conflicts in these files, and "
            f"git add them:\n{conflicts}"
        )
    if git("status", "--porcelain"):
        print("Look at the changes with git diff, run make lint and make check, and commit them.")
    else:
        print("It has the newest version.")


def git(*command: str) -> str:
    done = subprocess.run(["git", *command], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
