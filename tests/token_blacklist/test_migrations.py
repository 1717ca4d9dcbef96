"""The migrations: locks, supported databases, and upgrades from version 1."""

import re
import time
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from token_blacklist.migrations import _tables
from token_blacklist.models import OutstandingToken

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = OutstandingToken._meta.db_table
OF_VERSION_1 = [
    "0002_one_row_per_session",
    "0003_note_and_outcomes",
    "0004_indexes",
    "0005_one_index_of_the_user",
    "0006_no_constraint_at_the_flush",
    "0007_interrupted_flushes",
    "0008_reasons_of_the_code",
]


@pytest.fixture
def reader():
    """Another connection with an open transaction that has read the sessions."""
    reader = connections.create_connection("default")
    reader.set_autocommit(False)
    with reader.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE}")
    yield reader
    reader.close()


def lock():
    state = ProjectState.from_apps(apps)
    with connection.schema_editor() as editor:
        _tables.lock("token_blacklist.OutstandingToken")(state.apps, editor)


@pytest.mark.postgresql
def test_a_migration_that_gets_no_lock_gives_up_and_names_the_blocking_transaction(
    reader, monkeypatch
):
    monkeypatch.setattr(_tables, "GIVE_UP_AFTER", 0.0)
    monkeypatch.setattr(_tables, "REPORTED_AGE", "0 seconds")
    pid = reader.connection.info.backend_pid

    with pytest.raises(CommandError, match=rf"changed nothing.*run migrate again.*pid.*\b{pid}\b"):
        lock()


@pytest.mark.postgresql
def test_a_migration_retries_until_the_blocking_reader_ends(reader, monkeypatch):
    tries = []

    def go(seconds):
        tries.append(seconds)
        with connection.cursor() as cursor:  # it holds no lock between two tries
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE mode = 'AccessExclusiveLock' AND pid = pg_backend_pid()"
            )
            assert cursor.fetchone() == (0,)
        if len(tries) == 2:
            reader.rollback()

    # Only in this module, because other threads sleep, too.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=go)
    monkeypatch.setattr(_tables, "time", clock)

    lock()

    assert len(tries) == 2


@pytest.mark.parametrize("name", ["0001_initial", "0002_sessions"])
def test_migrating_an_unsupported_database_is_refused_before_any_change(monkeypatch, name):
    loader = MigrationLoader(connection)
    migration = loader.get_migration("token_blacklist", name)
    state = loader.project_state(("token_blacklist", name), at_end=False)
    monkeypatch.setattr(connection, "vendor", "mysql")
    monkeypatch.setattr(connection, "display_name", "MySQL")

    with (
        pytest.raises(
            CommandError, match=r"needs PostgreSQL or SQLite.*MySQL.*Nothing was changed"
        ),
        CaptureQueriesContext(connection) as sent,
        connection.schema_editor() as editor,
    ):
        migration.apply(state, editor)

    assert [query["sql"] for query in sent if "token_blacklist" in query["sql"]] == []


def test_an_unsupported_database_is_a_check_error(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "mysql")
    monkeypatch.setattr(connection, "display_name", "MySQL")

    (found,) = [m for m in run_checks() if m.id == "token_blacklist.E023"]

    assert "MySQL" in found.msg


class TestADatabaseOfVersion1:
    """Version 1 had migrations 0002 to 0008, which `replaces` maps to the present two."""

    @pytest.fixture
    def recorded(self):
        """Record version 1's migrations up to a name instead of the present ones."""
        rows = MigrationRecorder(connection).migration_qs.filter(app="token_blacklist")
        ours = [row.name for row in rows]

        def record(last):
            rows.exclude(name="0001_initial").delete()
            for name in OF_VERSION_1[: OF_VERSION_1.index(last) + 1]:
                rows.create(app="token_blacklist", name=name)

        yield record
        rows.all().delete()
        for name in ours:
            rows.create(app="token_blacklist", name=name)

    def test_a_fully_migrated_one_needs_no_migration(self, recorded):
        recorded(OF_VERSION_1[-1])

        with CaptureQueriesContext(connection) as sent:
            call_command("migrate", verbosity=0)

        changes = [q["sql"] for q in sent if re.match("CREATE|ALTER|DROP|LOCK", q["sql"])]
        assert changes == []
        assert MigrationExecutor(connection).loader.applied_migrations.keys() >= {
            ("token_blacklist", "0002_sessions"),
            ("token_blacklist", "0003_indexes"),
        }

    @pytest.mark.parametrize("last", [OF_VERSION_1[0], OF_VERSION_1[-2]])
    def test_a_partly_migrated_one_is_refused_with_instructions(self, recorded, last):
        recorded(last)

        with pytest.raises(SystemCheckError, match=r"is missing.*\n.*migrate` with version 1.0.0"):
            call_command("migrate", verbosity=0, skip_checks=False)
