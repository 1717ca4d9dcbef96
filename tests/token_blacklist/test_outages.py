"""Which database errors are an outage, 503, and which are wrong SQL, 500."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from psycopg import errors

from token_blacklist.exceptions import is_outage


def raised(by, error=OperationalError):
    """Return Django's error with the driver's error as its cause."""
    found = error(*by.args)
    found.__cause__ = by
    return found


def sqlite_error(path, sql, mode="rw"):
    """Return the statement's error while another connection holds the write lock."""
    with (
        closing(sqlite3.connect(path)) as other,
        closing(sqlite3.connect(f"file:{path}?mode={mode}", uri=True, timeout=0)) as mine,
    ):
        other.execute("CREATE TABLE here (id int)")
        other.execute("PRAGMA journal_mode=WAL")  # readers are not blocked
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as refused:
            mine.execute(sql)
    return refused.value


@pytest.mark.parametrize("sql", ["SELECT 1 FROM nowhere", "SELEKT 1"])
def test_wrong_sql_on_sqlite_is_no_outage(tmp_path, sql):
    assert not is_outage(raised(sqlite_error(tmp_path / "db", sql)))


def test_a_locked_or_read_only_sqlite_file_is_an_outage(tmp_path):
    write = "INSERT INTO here VALUES (1)"

    assert is_outage(raised(sqlite_error(tmp_path / "db", write)))
    assert is_outage(raised(sqlite_error(tmp_path / "ro", write, mode="ro")))


@pytest.mark.parametrize("name", ["BUSY_SNAPSHOT", "IOERR_FSYNC", "FULL"])
def test_an_extended_sqlite_error_code_is_judged_by_its_primary_code(name):
    error = sqlite3.OperationalError()
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{name}")

    assert is_outage(raised(error))


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("connection refused"),
        errors.AdminShutdown(),
        errors.DiskFull(),
        errors.LockNotAvailable(),
        errors.SerializationFailure(),
        errors.TooManyConnections(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_connection_or_a_lock_timeout_on_postgresql_is_an_outage(error):
    assert isinstance(error, psycopg.OperationalError)
    assert is_outage(raised(error))


def test_a_closed_connection_is_an_outage():
    assert is_outage(raised(psycopg.InterfaceError("the connection is closed"), InterfaceError))
    assert is_outage(InterfaceError("connection already closed"))


def test_a_wrong_or_too_large_statement_on_postgresql_is_no_outage():
    assert not is_outage(raised(errors.UndefinedTable(), ProgrammingError))
    assert not is_outage(raised(errors.StatementTooComplex()))
    assert not is_outage(ValueError())
    assert not is_outage(None)
