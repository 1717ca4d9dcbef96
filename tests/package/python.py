"""Build the Python client as a package, and run its tests with it against running servers."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.support import venv
from tests.support.checkout import ROOT
from tests.support.server import served

from .building import BUILD, SOURCE, build, run

CLIENT = SOURCE / "clients" / "python"
# Passes `mypy --strict` if the wheel has its types.
PROGRAM = """\
from token_blacklist_client import Client
email: str = Client("https://app.example.com").me()["email"]
"""


def main() -> None:
    wheel = build(CLIENT)
    python = venv.create(BUILD / "python", CLIENT / "requirements.txt")
    run(python, "-m", "mypy", "token_blacklist_client", cwd=CLIENT)
    run(python, *venv.PIP, "install", "--no-deps", wheel)
    # From here on, the wheel is imported and not its source.
    (CLIENT / "token_blacklist_client").rename(BUILD / "moved")
    run(python, "-m", "mypy", "--command", PROGRAM, cwd=CLIENT)
    schema = BUILD / "schema.json"
    described = ("--format", "openapi-json", "--file", str(schema))
    run(sys.executable, "manage.py", "spectacular", *described, cwd=ROOT)
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as other,
        served(Path(folder)) as site,
        served(Path(other), RATE_LIMITS="True") as limited,
    ):
        addresses = {"BASE_URL": site, "LIMITED_URL": limited, "SCHEMA": str(schema)}
        run(python, "-m", "pytest", cwd=CLIENT, env={**os.environ, **addresses})
