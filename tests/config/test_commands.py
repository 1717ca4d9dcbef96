"""The commands as a scheduler runs them: by their exit codes, their output and their signals."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from tests.support.checkout import ROOT, bare_environment

pytestmark = pytest.mark.process


@pytest.fixture
def site(fit, database, tmp_path):
    """A site with 300 sessions that have expired."""
    site = bare_environment(**fit | {"DATABASE_URL": database}, ENV_FILE="")
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
    """Start the command. What still runs at the end of the test is killed."""
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


def test_what_it_prints_is_the_report_and_the_log_goes_beside_it(flush):
    out, err = flush("--json").communicate(timeout=60)

    assert json.loads(out)["outstanding"] == 300
    assert json.loads(err)["message"] == "tokens_flushed outstanding=300 blacklisted=0"


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_batch_with_what_was_done(site, flush, name):
    process = flush("--batch-size", "10", "--pause", "0.2", "--json")
    deadline = time.monotonic() + 60
    while count(site) == 300:
        assert time.monotonic() < deadline
    process.send_signal(name)
    out, _err = process.communicate(timeout=20)

    report = json.loads(out)
    assert process.returncode == 3
    assert report["outcome"] == "stopped"
    assert 0 < report["outstanding"] < 300
    assert report["outstanding"] % 10 == 0
    assert report["left"] == 300 - report["outstanding"] == count(site)


def test_a_database_that_is_not_there_is_exit_code_1_and_a_sentence(site, flush):
    site["DATABASE_URL"] = "sqlite:////nowhere/at/all.sqlite3"
    process = flush()
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (1, "")
    assert "CommandError: Database error: " in err
    assert "Traceback" not in err
