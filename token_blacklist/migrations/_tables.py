"""Helpers of the migrations: a check of the database, and locks that do not block requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.management import CommandError
from django.db import OperationalError, router, transaction

LOCK_TIMEOUT = 400  # milliseconds for each table; requests behind the lock wait as long
RETRY_INTERVAL = 1.0  # seconds between two attempts, in which waiting requests proceed
GIVE_UP_AFTER = 300.0  # seconds
REPORTED_AGE = "1 second"  # of transactions in the error message; younger ones end by themselves

LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED = "55P03", "40P01"


def refuse_other_databases(apps: Any, schema_editor: Any) -> None:
    """Raise CommandError unless the database is PostgreSQL or SQLite. For RunPython."""
    vendor = schema_editor.connection.display_name
    if schema_editor.connection.vendor not in {"postgresql", "sqlite"}:
        raise CommandError(
            f"token_blacklist needs PostgreSQL or SQLite, and this database is {vendor}. "
            "Nothing was changed."
        )


def lock(*models: str, referenced: tuple[str, ...] = ()) -> Callable[[Any, Any], None]:
    """Return a function for RunPython that locks tables on PostgreSQL. For the first operation.

    `models` are changed. `referenced` get a foreign key to them, and can still be read. A lock that
    waits for a long transaction makes every later request wait as well. So it times out after
    LOCK_TIMEOUT and is tried again. With all locks held, the rest of the migration does not wait
    and cannot deadlock.
    """

    def take(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        statements = []
        for names, mode in ((models, "ACCESS EXCLUSIVE"), (referenced, "SHARE ROW EXCLUSIVE")):
            found = map(apps.get_model, names)
            tables = [
                schema_editor.quote_name(model._meta.db_table)
                for model in found
                if router.allow_migrate_model(schema_editor.connection.alias, model)
            ]
            if tables:
                statements.append(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")
        _lock(schema_editor, [f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}", *statements])

    return take


def _lock(schema_editor: Any, statements: list[str]) -> None:
    give_up_at = time.monotonic() + GIVE_UP_AFTER
    while True:
        try:
            # A savepoint releases its locks on failure.
            with transaction.atomic(schema_editor.connection.alias):
                for statement in statements:
                    schema_editor.execute(statement)
            return
        except OperationalError as error:
            code = getattr(error.__cause__, "sqlstate", getattr(error.__cause__, "pgcode", None))
            if code not in {LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED}:
                raise
            if time.monotonic() >= give_up_at:
                raise CommandError(_why(schema_editor.connection)) from error
        time.sleep(RETRY_INTERVAL)


def _why(connection: Any) -> str:
    """Return the error message, which names the blocking processes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND clock_timestamp() - xact_start > %s::interval"
            " ORDER BY xact_start",
            [REPORTED_AGE],
        )
        pids = ", ".join(str(pid) for (pid,) in cursor.fetchall())
    return (
        f"Other transactions have held the tables for more than {GIVE_UP_AFTER:.0f} seconds. This "
        "migration changed nothing. Wait for them, or end them with SELECT "
        f"pg_terminate_backend(pid), then run migrate again. Oldest first: pid {pids or '-'}."
    )


def send_deferred(apps: Any, schema_editor: Any) -> None:
    """Send the statements that Django defers to the end. For RunPython, as the last operation.

    If some are left, Django records the migration after its transaction. A migration that is killed
    in between cannot be run again, because its changes have been made.
    """
    for statement in schema_editor.deferred_sql:
        schema_editor.execute(statement)
    schema_editor.deferred_sql.clear()
