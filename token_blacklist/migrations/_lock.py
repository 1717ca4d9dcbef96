"""Locks the tables of a migration without stopping the site."""

import time
from typing import Any

from django.core.management import CommandError
from django.db import OperationalError, connections, transaction
from django.db.migrations.operations.base import Operation

WAIT = 400  # milliseconds for one table: whoever comes after it waits as long
PAUSE = 1.0  # seconds in which those who waited get through
GIVE_UP_AFTER = 300.0  # seconds
OLD = "1 second"  # of the transactions that are named then: the others end by themselves

LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED = "55P03", "40P01"


class LockTables(Operation):
    """Lock on PostgreSQL all that the migration changes, with retries. The first operation.

    A lock that waits for a long reader makes every request after it wait as well. So it is given
    up after a moment, and asked for again. Once it has all of them, the rest of the migration
    waits for nobody and cannot be in a deadlock.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, *models: str, referenced: tuple[str, ...] = ()) -> None:
        """`models` are changed; `referenced` get a foreign key to them, and can be read."""
        self.models, self.referenced = models, referenced

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [*self.models], {"referenced": self.referenced}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        statements = []
        for names, mode in (
            (self.models, "ACCESS EXCLUSIVE"),
            (self.referenced, "SHARE ROW EXCLUSIVE"),
        ):
            models = [from_state.apps.get_model(name) for name in names]
            tables = [
                connection.ops.quote_name(model._meta.db_table)
                for model in models
                if self.allow_migrate_model(connection.alias, model)
            ]
            if tables:
                statements.append(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")
        if statements:
            _lock(schema_editor, statements)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Lock nothing: this is the last step back."""

    def describe(self) -> str:
        return "Lock the tables, a moment at a time"


def _lock(schema_editor: Any, statements: list[str]) -> None:
    using = schema_editor.connection.alias
    give_up_at = time.monotonic() + GIVE_UP_AFTER
    while True:
        try:
            with transaction.atomic(using):  # a savepoint: what it got is let go where one fails
                schema_editor.execute(f"SET LOCAL lock_timeout = {WAIT}")
                for statement in statements:
                    schema_editor.execute(statement)
            return
        except OperationalError as error:
            code = getattr(error.__cause__, "sqlstate", getattr(error.__cause__, "pgcode", None))
            if code not in {LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED}:
                raise
            if time.monotonic() >= give_up_at:
                raise CommandError(_why(using)) from error
        time.sleep(PAUSE)


def _why(using: str) -> str:
    """Return what to do about the transactions that are in the way."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND clock_timestamp() - xact_start > %s::interval"
            " ORDER BY xact_start",
            [OLD],
        )
        pids = ", ".join(str(pid) for (pid,) in cursor.fetchall())
    return (
        f"Other transactions have held the tables for more than {GIVE_UP_AFTER:.0f} seconds. This "
        "migration changed nothing. Wait for them, or end them with SELECT "
        f"pg_terminate_backend(pid), then run migrate again. Oldest first: pid {pids or '-'}."
    )
