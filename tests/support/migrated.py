"""A migrated SQLite database for other processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from .checkout import ROOT, bare_environment


def migrated_database(request: pytest.FixtureRequest, path: Path) -> str:
    """Make a database at the path, as a copy of the one of the tests; return its URL.

    pytest-django makes that one only if a test of the run uses it. Otherwise, run `migrate`.
    """
    url = f"sqlite:///{path}"
    request.getfixturevalue("django_db_setup")
    blocker: Any = request.getfixturevalue("django_db_blocker")
    with blocker.unblock():
        of_the_tests = Path(connection.settings_dict["NAME"])
        if connection.vendor == "sqlite" and of_the_tests.exists():
            with (
                closing(sqlite3.connect(of_the_tests)) as ours,
                closing(sqlite3.connect(path)) as copy,
            ):
                ours.backup(copy)
            return url
    environment = bare_environment(ENV_FILE="", DEBUG="True", DATABASE_URL=url)
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=300)
    return url
