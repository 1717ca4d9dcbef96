"""The flush command as a scheduler runs it: exit codes, output and signals."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from tests.support.checkout import ROOT, bare_environment

pytestmark = pytest.mark.process


@pytest.fixture
def site(production_env, database, tmp_path):
    """A site with 300 sessions that have expired."""
    site = bare_environment(**production_env | {"DATABASE_URL": database}, ENV_FILE="")
    columns = "INSERT INTO token_blacklist_outstandingtoken (session_id, expires_at)"
    rows = ((f"{number:032x}",) for number in range(300))
    with closing(connect(site)) as connection, connection:
        connection.executemany(f"{columns} VALUES (?, '2020-01-01 00:00:00')", rows)
    return site


def connect(site):
    return sqlite3.connect(site["DATABASE_URL"].removeprefix("sqlite:///"), timeout=20)


def count(site):
    with closing(connect(site)) as connection:
        (rows,) = connection.execute("SELECT COUNT(*) FROM token_blacklist_outstandingtoken")
    return rows[0]


@pytest.fixture
def flush(site):
    """Start the command. It is killed at the end of the test."""
    started = []

    def start(*arguments, **options):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "flushexpiredtokens", *arguments],
            cwd=ROOT,
            env=site,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:  # closes its pipes
            process.kill()


def test_the_flush_prints_its_report_to_stdout_and_logs_to_stderr(flush):
    out, err = flush("--json").communicate(timeout=60)

    assert json.loads(out)["outstanding"] == 300
    assert json.loads(err)["message"] == "tokens_flushed outstanding=300 blacklisted=0"


def test_sigterm_stops_the_flush_after_the_current_batch_with_a_report(site, flush):
    process = flush("--batch-size", "10", "--pause", "0.2", "--json")
    deadline = time.monotonic() + 60
    while count(site) == 300:
        assert time.monotonic() < deadline
    process.terminate()
    out, _err = process.communicate(timeout=20)

    report = json.loads(out)
    assert process.returncode == 3
    assert report["outcome"] == "stopped"
    assert 0 < report["outstanding"] < 300
    assert report["outstanding"] % 10 == 0
    assert report["left"] == 300 - report["outstanding"] == count(site)


def test_an_unreachable_database_is_exit_code_1_with_a_message(site, flush):
    site["DATABASE_URL"] = "sqlite:////nowhere/at/all.sqlite3"
    process = flush()
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (1, "")
    assert "CommandError: Database error: " in err
    assert "Traceback" not in err
