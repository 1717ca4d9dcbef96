"""Makes a product of this project's last commit: `make new NAME="Acme Portal" DIR=../acme`.

ACCENT, SENDER, ORIGIN and KEEP=all answer the other questions of copier.yml, which `copier copy`
asks at a terminal. This adds a history, and the address from which `make update` gets updates.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from copier import run_copy
from django.utils.text import slugify

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ("name", "accent", "sender", "origin", "keep")
NO_DIR = 'DIR must name a new folder. Example: make new NAME="Acme Portal" DIR=../acme'


def main() -> None:
    if not shutil.which("git"):
        sys.exit("git was not found. Install it and try again.")
    folder = read_folder(os.environ.get("DIR", "").strip())
    answers = {name: os.environ[name.upper()] for name in QUESTIONS if os.environ.get(name.upper())}
    answers["slug"] = slugify(answers.setdefault("name", "")) or "product"
    commit = git(ROOT, "rev-parse", "HEAD")  # and not what is not committed, as an update
    try:
        run_copy(str(ROOT), folder, answers, vcs_ref=commit, defaults=True, quiet=True)
    except ValueError as error:  # an answer that its question refuses
        sys.exit(re.sub(r"^Validation error for question '\w+': ", "", str(error)).strip())
    record_origin(folder / ".copier-answers.yml")
    begin_history(folder, answers["name"])
    print(f"{answers['name']} is in {folder}.\n\n  cd {folder}\n  make run\n  make test\n")


def read_folder(given: str) -> Path:
    if not given:
        sys.exit(NO_DIR)
    folder = Path(given).expanduser().resolve()
    if folder == ROOT or ROOT in folder.parents:
        sys.exit(f"DIR is inside this project ({folder}). Choose a folder outside of it.")
    if not folder.parent.is_dir() or not os.access(folder.parent, os.W_OK | os.X_OK):
        sys.exit(f"{folder.parent} is not a writable folder. Choose another DIR.")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        sys.exit(f"{folder} already exists. Choose another DIR, or remove it.")
    return folder


def record_origin(answers: Path) -> None:
    """Record the address of this clone's origin, where colleagues find it, without a password."""
    remote = git(ROOT, "remote", "get-url", "origin", check=False)
    if not remote:
        return
    remote = re.sub(r"^(https?://)[^/@]*@", r"\1", remote)
    if "://" in remote and not remote.endswith(".git"):
        remote = f"git+{remote}"  # or Copier takes it for a folder
    text = answers.read_text(encoding="utf-8")
    recorded = yaml.safe_load(text)["_src_path"]
    answers.write_text(
        text.replace(f"_src_path: {recorded}", f"_src_path: {remote}"), encoding="utf-8"
    )


def begin_history(folder: Path, name: str) -> None:
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    # The author is git's configured user, or a placeholder.
    known = git(folder, "config", "user.email", check=False)
    nobody = () if known else ("-c", "user.name=make new", "-c", "user.email=nobody@localhost")
    git(folder, *nobody, "commit", "--quiet", "--message", f"Begin {name}")


def git(folder: Path, *command: str, check: bool = True) -> str:
    # Without GIT_DIR and the like, which a hook or another tool may have set.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    given = (
        "-c",
        "safe.directory=*",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "core.hooksPath=/dev/null",
    )
    done = subprocess.run(
        ["git", *given, *command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        sys.exit(f"git {command[0]} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
