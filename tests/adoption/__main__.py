"""Run Simple JWT's own tests against this app. `make adoption` calls it.

The tests are in the source archive of the package, which is fetched and not kept in the repository.
In them the names of the modules and of the settings are replaced, as docs/adopting.md says, and
nothing else. What fails must be listed in differences.toml with its reason; what is listed must
fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from tests.support import venv
from tests.support.adoption import renamed
from tests.support.checkout import ROOT

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "adoption"
PACKAGE = "djangorestframework-simplejwt"


def main() -> None:
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    fetch_tests()
    python = venv.create(BUILD / "venv", HERE / "requirements.txt")
    shutil.copy(HERE / "suite_conftest.py", BUILD / "conftest.py")
    # Without the project's settings and other apps.
    shutil.copytree(ROOT / "token_blacklist", BUILD / "token_blacklist")
    tests = [python, "-W", "ignore", "-m", "pytest", "-q", "--tb=no", "--no-summary", "tests"]
    alone = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    options = ("-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(BUILD))
    # Otherwise pytest-django finds the manage.py above.
    project = ("-o", "django_find_project=false")
    subprocess.run([*tests, *options, *project], cwd=BUILD, env=alone, check=False)
    sys.exit(compare(json.loads((BUILD / "found.json").read_text(encoding="utf-8"))))


def fetch_tests() -> None:
    """Download the archive in the version and with the hash of the lock file; unpack its tests."""
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    pinned = re.search(rf"(?m)^{PACKAGE}==.*(?:\n    --hash.*)+", lock)
    assert pinned, f"{PACKAGE} is not in requirements-dev.txt"
    (BUILD / "archive.txt").write_text(pinned[0], encoding="utf-8")
    options = ("--no-deps", "--no-binary", ":all:", "--require-hashes", "--dest", str(BUILD))
    download = [sys.executable, *venv.PIP, "download", *options]
    subprocess.run([*download, "--requirement", str(BUILD / "archive.txt")], check=True)
    (archive,) = BUILD.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(BUILD, filter="data")
    (BUILD / archive.name.removesuffix(".tar.gz") / "tests").rename(BUILD / "tests")
    for path in (BUILD / "tests").rglob("*.py"):
        # Of the two apps in its INSTALLED_APPS, this one takes the place of the second.
        text = re.sub(r'"rest_framework_simplejwt",\s+', "", path.read_text(encoding="utf-8"))
        path.write_text(renamed(text), encoding="utf-8")


def compare(found: dict[str, bool]) -> int:
    """Print how many tests passed and what differs from the list; return the exit code."""
    listed = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))
    expected = {test for group in listed["difference"] for test in group["tests"]}
    failed = {test for test, passed in found.items() if not passed}
    print(f"{len(found) - len(failed)} of {len(found)} tests of {PACKAGE} pass.")
    for test in sorted(failed - expected):
        print(f"It fails and is not in differences.toml: {test}")
    for test in sorted(expected - failed):
        print(f"It is in differences.toml and does not fail: {test}")
    return 1 if not found or failed != expected else 0


if __name__ == "__main__":
    main()
