"""Which database errors are an outage, 503, and which are wrong SQL, 500."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from psycopg import errors

from token_blacklist.exceptions import is_outage


def raised(by, error=OperationalError):
    """Return Django's error for one of the driver."""
    found = error(*by.args)
    found.__cause__ = by
    return found


def sqlite_error(path, sql, mode="rw"):
    """Return the error of the statement while another connection is writing."""
    with (
        closing(sqlite3.connect(path)) as other,
        closing(sqlite3.connect(f"file:{path}?mode={mode}", uri=True, timeout=0)) as mine,
    ):
        other.execute("CREATE TABLE here (id int)")
        other.execute("PRAGMA journal_mode=WAL")  # readers go on
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as refused:
            mine.execute(sql)
    return refused.value


@pytest.mark.parametrize("sql", ["SELECT 1 FROM nowhere", "SELECT nothing FROM here", "SELEKT 1"])
def test_wrong_sql_of_sqlite_is_none(tmp_path, sql):
    assert not is_outage(raised(sqlite_error(tmp_path / "db", sql)))


def test_a_lock_and_a_read_only_file_of_sqlite_are(tmp_path):
    write = "INSERT INTO here VALUES (1)"

    assert is_outage(raised(sqlite_error(tmp_path / "db", write)))
    assert is_outage(raised(sqlite_error(tmp_path / "ro", write, mode="ro")))


@pytest.mark.parametrize(
    "name",
    ["BUSY_SNAPSHOT", "LOCKED", "NOMEM", "INTERRUPT", "IOERR_FSYNC", "FULL", "CANTOPEN"],
)
def test_a_code_of_sqlite_with_details_is_that_of_its_class(name):
    error = sqlite3.OperationalError()
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{name}")

    assert is_outage(raised(error))


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("connection refused"),
        errors.AdminShutdown(),
        errors.CannotConnectNow(),
        errors.ConnectionFailure(),
        errors.DeadlockDetected(),
        errors.DiskFull(),
        errors.IoError(),
        errors.LockNotAvailable(),
        errors.QueryCanceled(),
        errors.SerializationFailure(),
        errors.TooManyConnections(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_of_postgresql_a_failed_connection_and_a_lock_are(error):
    assert isinstance(error, psycopg.OperationalError)
    assert is_outage(raised(error))


def test_a_closed_connection_is():
    assert is_outage(raised(psycopg.InterfaceError("the connection is closed"), InterfaceError))
    assert is_outage(InterfaceError("connection already closed"))


def test_of_postgresql_a_statement_that_is_wrong_or_too_large_is_none():
    assert not is_outage(raised(errors.UndefinedTable(), ProgrammingError))
    assert not is_outage(raised(errors.StatementTooComplex()))
    assert not is_outage(ValueError())
    assert not is_outage(None)
