"""Django's PostgreSQL, with connections that are kept and cost a request nothing."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    ServerBindingCursor = psycopg.Cursor[Any]
else:
    ServerBindingCursor = base.ServerBindingCursor


class Cursor(ServerBindingCursor):
    """Asks again where a migration has changed a column since its statement was planned.

    Else every kept connection would refuse that statement from the migration on until the
    servers start anew.
    """

    def execute(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().execute(*arguments, **options)
        except FeatureNotSupported:  # "cached plan must not change result type"
            if self.connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            forget_plans(self.connection)
            return super().execute(*arguments, **options)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def is_usable(self) -> bool:
        """Whether the connection still is one; CONN_HEALTH_CHECKS asks before each request.

        A server that goes says so, and closes: there is something to read. As long as there is
        nothing, and nothing failed, Django's own `SELECT 1` would only be a statement more.
        """
        connection: Any = self.connection
        if connection.closed:
            return False
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN | select.POLLHUP)
        if not self.errors_occurred and not poll.poll(0):
            return True
        try:
            forget_plans(connection)
        except psycopg.Error:
            return False
        return True


def forget_plans(connection: Any) -> None:
    """Make the server, and with it psycopg, forget what was prepared on the connection."""
    connection.execute("DEALLOCATE ALL")
