"""Build the app as a package, check it, and run the app's tests in a new environment."""

from __future__ import annotations

import os
import re
import shutil

from tests.support import venv
from tests.support.checkout import ROOT

from .building import BUILD, SOURCE, build, run

# What the tests need besides the app.
TOOLS = (
    *("cryptography", "factory-boy", "psutil", "psycopg[binary]"),
    *("pytest", "pytest-django", "pytest-timeout", "time-machine"),
)
API = ("test_cookie_transport.py", "test_sessions.py", "test_sliding.py")


def main() -> None:
    run_tests(build(SOURCE))


def run_tests(wheel: str) -> None:
    """Run the app's tests in a bare project with Django's own user and the wheel."""
    python = venv.create(BUILD / "venv")
    # The versions of the lock file, without its hashes: pip would require one for the wheel.
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"(?m)^([a-z0-9-]+==[^ ;]+)", lock)
    (BUILD / "constraints.txt").write_text("\n".join(pinned), encoding="utf-8")
    run(python, *venv.PIP, "install", "--constraint", "constraints.txt", wheel, *TOOLS)
    project = BUILD / "project"
    shutil.copytree(SOURCE / "tests", project / "tests")
    shutil.copy(ROOT / "pyproject.toml", project)
    alone = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    alone |= {"DJANGO_SETTINGS_MODULE": "tests.projects.copied.settings", "PYTHONPATH": "."}
    for command in ("check", "migrate"):
        run(python, "-m", "django", command, "--verbosity", "0", cwd=project, env=alone)
    tests = ("tests/token_blacklist", *(f"tests/api/{name}" for name in API))
    # Otherwise pytest-django finds manage.py above, and the app that is not installed.
    options = ("-m", "not process", "-p", "no:cacheprovider", "-o", "django_find_project=false")
    run(python, "-m", "pytest", *options, *tests, cwd=project, env=alone)
