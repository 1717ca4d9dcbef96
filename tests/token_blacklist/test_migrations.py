"""How a migration takes the locks of its tables."""

import time
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import CommandError
from django.db import connection, connections
from django.db.migrations.state import ProjectState

from token_blacklist import operations
from token_blacklist.models import OutstandingToken

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

TABLE = OutstandingToken._meta.db_table


@pytest.fixture
def reader():
    """Another connection that has read the sessions, in a transaction that is open."""
    reader = connections.create_connection("default")
    reader.set_autocommit(False)
    with reader.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE}")
    yield reader
    reader.close()


def lock():
    state = ProjectState.from_apps(apps)
    with connection.schema_editor() as editor:
        operations.LockTables("token_blacklist.OutstandingToken").database_forwards(
            "token_blacklist", editor, state, state
        )


def test_it_gives_up_with_a_sentence_that_names_the_transaction_in_the_way(reader, monkeypatch):
    monkeypatch.setattr(operations, "GIVE_UP_AFTER", 0.0)
    monkeypatch.setattr(operations, "OLD", "0 seconds")
    pid = reader.connection.info.backend_pid

    with pytest.raises(CommandError, match=rf"changed nothing.*run migrate again.*pid.*\b{pid}\b"):
        lock()


def test_it_tries_again_and_gets_through_once_the_reader_is_gone(reader, monkeypatch):
    tries = []

    def go(seconds):
        tries.append(seconds)
        with connection.cursor() as cursor:  # between two tries it holds nothing
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE mode = 'AccessExclusiveLock' AND pid = pg_backend_pid()"
            )
            assert cursor.fetchone() == (0,)
        if len(tries) == 2:
            reader.rollback()

    # Of this module alone: other threads sleep, too.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=go)
    monkeypatch.setattr(operations, "time", clock)

    lock()

    assert len(tries) == 2
