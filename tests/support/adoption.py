"""Run code of a site in a separate process, with Simple JWT or with this app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.support.checkout import ROOT, bare_environment

RENAMED = {
    "rest_framework_simplejwt.token_blacklist": "token_blacklist",
    "rest_framework_simplejwt": "token_blacklist",
    "SIMPLE_JWT": "TOKEN_BLACKLIST",
}


def renamed(code: str) -> str:
    """Return code for Simple JWT with the names replaced as docs/adopting.md says."""
    for theirs, ours in RENAMED.items():
        code = code.replace(theirs, ours)
    return code


def environment(url: str, *, adopted: bool) -> dict[str, str]:
    return bare_environment(
        SITE_DATABASE_URL=url,
        ADOPTED="yes" if adopted else "no",
        DJANGO_SETTINGS_MODULE="tests.projects.adoption.settings",
        PYTHONPATH=str(ROOT),
        PATH=os.environ["PATH"],
        PYTHONWARNINGS="ignore",
    )


def manage(url: str, *arguments: str, adopted: bool) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env=environment(url, adopted=adopted),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def live(url: str, module: str, *, adopted: bool, given: Any = None) -> Any:
    """Run a module of tests.projects.adoption with JSON as its input; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.projects.adoption.{module}"],
        cwd=ROOT,
        env=environment(url, adopted=adopted),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
