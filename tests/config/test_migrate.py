"""`migrate` while another transaction is reading."""

import subprocess
import sys
import time

import psycopg
import pytest

from tests.support.checkout import ROOT, bare_environment
from tests.support.server import database

pytestmark = [
    pytest.mark.process,
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
]
SESSIONS = "token_blacklist_outstandingtoken"


def start(url, *arguments):
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", *arguments],
        cwd=ROOT,
        env=bare_environment(ENV_FILE="", DEBUG="True", DATABASE_URL=url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(query, connection):
    deadline = time.monotonic() + 60
    while not connection.execute(query).fetchone()[0]:
        assert time.monotonic() < deadline, query
        time.sleep(0.01)


def test_requests_succeed_while_migrate_waits_for_a_long_transaction(tmp_path):
    with database(tmp_path) as url:
        _out, err = start(url, "token_blacklist", "0001").communicate(timeout=150)
        with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as client:
            reader.execute(f"SELECT count(*) FROM {SESSIONS}")
            process = start(url, "token_blacklist", "--verbosity=0")
            for _ in range(2):
                wait_for("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted", client)
                # The reader is still active: this succeeds only if the migration releases its lock.
                client.execute("SET statement_timeout = '30s'")
                client.execute(f"SELECT count(*) FROM {SESSIONS}")
                wait_for("SELECT count(*) = 0 FROM pg_locks WHERE NOT granted", client)
            assert process.poll() is None
            reader.rollback()
            _out, err = process.communicate(timeout=300)

        assert process.returncode == 0, err
