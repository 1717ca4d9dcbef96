"""A Simple JWT site replaces the app and migrates: no session is lost, no revoked one revived."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time

import psycopg
import pytest
from django.db import connection

from tests.support.adoption import environment, live, manage
from tests.support.checkout import ROOT
from tests.support.server import database, query

ROWS = int(os.environ.get("ROWS", "20000"))
OUTSTANDING = "token_blacklist_outstandingtoken"

pytestmark = [
    pytest.mark.process,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(scope="module")
def before(tmp_path_factory, django_db_setup, django_db_blocker):
    """The URL of a database with Simple JWT's tables, for the tests to copy."""
    folder = tmp_path_factory.mktemp("before")
    with django_db_blocker.unblock(), database(folder) as url:
        manage(url, "migrate", "--verbosity=0", adopted=False)
        yield url


@pytest.fixture
def site(before, tmp_path):
    """The URL of a site's database, with Simple JWT's tables in it."""
    with database(tmp_path, like=before) as url:
        yield url


def connect(url):
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"))
    return psycopg.connect(url)


def migrate(url):
    manage(url, "migrate", "--verbosity=0", adopted=True)


def test_migrating_signs_nobody_out_and_keeps_blacklisted_tokens_refused(site):
    held = live(site, "a_day_before", adopted=False)
    ids = query(site, f"SELECT id, jti FROM {OUTSTANDING} ORDER BY id")

    migrate(site)
    assert query(site, f"SELECT id, session_id FROM {OUTSTANDING} ORDER BY id") == ids
    said = live(site, "the_day_after", adopted=True, given=held)

    assert said["refresh"] == {
        "fresh": [200, 200],
        "refreshed": [200, 200],
        "given up": [401, 401],
        "signed out": [401, 401],
        "closed": [401, 401],
    }
    # These access tokens name no session: they are accepted until they expire, if the user is
    # active.
    assert said["access"] == {
        "fresh": 200,
        "given up": 200,
        "refreshed": 200,
        "signed out": 200,
        "closed": 401,
    }
    assert said["sliding"] == 200
    assert said["sign out"] == 200
    assert said["after"] == [401, 401]


@pytest.mark.elsewhere
def test_migrating_deletes_the_text_of_all_tokens(site):
    held = live(site, "a_day_before", adopted=False)
    assert query(site, f"SELECT count(*) FROM {OUTSTANDING} WHERE token LIKE 'eyJ%'")[0][0] > 5

    migrate(site)

    rows = query(site, f"SELECT * FROM {OUTSTANDING}")
    assert len(rows) > 5
    assert "eyJ" not in str(rows)
    assert held["fresh"]["refresh"] not in str(rows)


@pytest.mark.elsewhere
def test_the_migrated_tables_equal_those_of_a_new_site(site, tmp_path):
    migrate(site)
    adopted = live(site, "tables", adopted=True)
    (tmp_path / "new").mkdir()

    if connection.vendor == "postgresql":
        manage(site, "migrate", "token_blacklist", "zero", "--verbosity=0", adopted=True)
        migrate(site)
        fresh = live(site, "tables", adopted=True)
    else:
        with database(tmp_path / "new") as url:
            migrate(url)
            fresh = live(url, "tables", adopted=True)

    assert adopted == fresh


@pytest.mark.elsewhere
def test_a_site_of_the_oldest_simple_jwt_migrates_after_updating_simple_jwt(tmp_path):
    with database(tmp_path) as url:
        manage(url, "migrate", "auth", "--verbosity=0", adopted=False)
        manage(url, "migrate", "token_blacklist", "0001_initial", "--verbosity=0", adopted=False)
        jti = "0123456789abcdef0123456789abcdef"
        held = connect(url)
        uuid = "'01234567-89ab-cdef-0123-456789abcdef'" if "postgres" in url else f"'{jti}'"
        held.execute(
            "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email,"
            " is_staff, is_active, date_joined)"
            " VALUES ('', false, 'old', '', '', '', false, true, '2018-01-01 00:00:00+00')"
        )
        held.execute(
            f"INSERT INTO {OUTSTANDING} (jti, token, created_at, expires_at, user_id)"
            f" VALUES ({uuid}, 'eyJ', '2018-01-01 00:00:00+00', '2038-01-01 00:00:00+00', 1)"
        )
        held.commit()
        held.close()

        manage(url, "migrate", "--verbosity=0", adopted=False)
        migrate(url)

        assert query(url, f"SELECT session_id, generation FROM {OUTSTANDING}") == [(jti, 0)]


@pytest.mark.elsewhere
def test_a_migration_is_recorded_with_its_changes_or_not_at_all(site):
    recorded = live(site, "recorded", adopted=True)

    assert recorded == {"0002_sessions": True}


FILL = {
    "postgresql": f"""
        INSERT INTO {OUTSTANDING} (user_id, jti, token, created_at, expires_at)
        SELECT NULL, md5(n::text), repeat('eyJ', 100), now(), now() + interval '1 day'
        FROM generate_series(1, {ROWS}) AS n;
    """,
    "sqlite": f"""
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS})
        INSERT INTO {OUTSTANDING} (user_id, jti, token, created_at, expires_at)
        SELECT NULL, printf('%032x', n), 'eyJ', '2026-01-01', '2036-01-01' FROM n
    """,
}


@pytest.mark.elsewhere
def test_a_killed_migration_can_be_run_again(site):
    """It is killed later at each try, until it completes."""
    held = live(site, "a_day_before", adopted=False)
    filled = connect(site)
    filled.execute(FILL[connection.vendor])
    filled.commit()
    filled.close()
    rows = query(site, f"SELECT count(*) FROM {OUTSTANDING}")

    killed = 0
    for moment in range(60):
        with subprocess.Popen(
            [sys.executable, "-m", "django", "migrate"],
            cwd=ROOT,
            env=environment(site, adopted=True) | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            said = b""
            while b"Applying" not in said and (part := os.read(process.stdout.fileno(), 1000)):
                said += part
            try:
                rest, _ = process.communicate(timeout=moment * 0.1)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, said + rest
            break
        time.sleep(0.2)  # for the server to notice

    assert killed
    assert query(site, f"SELECT count(*) FROM {OUTSTANDING}") == rows
    said = live(site, "the_day_after", adopted=True, given=held)
    assert said["refresh"]["fresh"] == [200, 200]
    assert said["refresh"]["signed out"] == [401, 401]
