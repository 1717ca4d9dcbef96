from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import InterfaceError, OperationalError, connections

KEY = int.from_bytes(b"migrate")  # of the advisory lock
PAUSE = 0.5  # seconds between two attempts to get the lock


class Command(migrate.Command):
    help = f"{migrate.Command.help} On PostgreSQL, only one migrate runs at a time; others wait."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with self._alone(options["database"], options["verbosity"]):
                super().handle(*args, **options)
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                f"Database error: {str(error).strip()}. Check DATABASE_URL and the server, and run "
                "migrate again. Migrations that were applied stay applied."
            ) from error

    @contextmanager
    def _alone(self, using: str, verbosity: int) -> Iterator[None]:
        """Wait until no other migrate runs on this database, and keep others out.

        The lock belongs to a transaction, because a pooler keeps a transaction on one connection of
        the server. It is polled, because a statement that waits for it would hold a snapshot, and
        CREATE INDEX CONCURRENTLY waits for all snapshots.
        """
        if connections[using].vendor != "postgresql":
            yield
            return
        lock = connections.create_connection(using)
        try:
            lock.set_autocommit(False)
            is_told = False
            while not self._is_first(lock):
                lock.rollback()
                if verbosity and not is_told:
                    self.stdout.write("Another migrate is running. Waiting for it to finish.")
                is_told = True
                time.sleep(PAUSE)
            yield
        finally:
            lock.close()

    def _is_first(self, lock: Any) -> bool:
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
            is_first = bool(cursor.fetchone()[0])
            cursor.execute("SAVEPOINT held")  # else the SELECT's portal stays, with its snapshot
        return is_first
