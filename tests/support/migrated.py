"""A migrated SQLite database for other processes, in the time that a copy takes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection


def migrated_database(request: pytest.FixtureRequest, path: Path) -> str:
    """Copy the database of the tests, which are those on SQLite, to the path; return its URL."""
    request.getfixturevalue("django_db_setup")
    blocker: Any = request.getfixturevalue("django_db_blocker")
    with (
        blocker.unblock(),
        closing(sqlite3.connect(connection.settings_dict["NAME"])) as ours,
        closing(sqlite3.connect(path)) as copy,
    ):
        ours.backup(copy)
    return f"sqlite:///{path}"
