"""Migration operations that keep the site available, and a migration repeatable."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import CommandError
from django.db import OperationalError, connections, transaction
from django.db.migrations.operations.base import Operation

WAIT = 400  # milliseconds for each table; requests that come after it wait as long
PAUSE = 1.0  # seconds between two attempts, for the requests that waited
GIVE_UP_AFTER = 300.0  # seconds
OLD = "1 second"  # age of the transactions that the error names; others end by themselves

LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED = "55P03", "40P01"


class _Forwards(Operation):
    """Changes no model, and has nothing to do backwards."""

    reduces_to_sql = False
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing."""

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Do nothing."""


class LockTables(_Forwards):
    """Lock the migration's tables on PostgreSQL, with retries. The first operation.

    A lock that waits for a long reader makes every later request wait as well. Therefore it times
    out after a moment and is tried again. With all locks held, the rest of the migration does not
    wait and cannot deadlock.
    """

    def __init__(self, *models: str, referenced: tuple[str, ...] = ()) -> None:
        """`models` are changed; `referenced` get a foreign key to them, and can be read."""
        self.models, self.referenced = models, referenced

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [*self.models], {"referenced": self.referenced}

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

    def describe(self) -> str:
        return "Lock the tables, with retries"


class RunDeferredSQL(_Forwards):
    """Send the statements that Django defers to the end of the migration. The last operation.

    If some are left, Django records the migration after its transaction. A migration that is killed
    in between cannot be run again, because its changes have been made.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in schema_editor.deferred_sql:
            schema_editor.execute(statement)
        schema_editor.deferred_sql.clear()

    def describe(self) -> str:
        return "Send the deferred statements"


def _lock(schema_editor: Any, statements: list[str]) -> None:
    using = schema_editor.connection.alias
    give_up_at = time.monotonic() + GIVE_UP_AFTER
    while True:
        try:
            with transaction.atomic(using):  # a savepoint, which releases its locks on failure
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
    """Return the error message, which names the blocking processes."""
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
