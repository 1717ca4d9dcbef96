"""Django's PostgreSQL, with connections that are kept and cost a request nothing."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base, operations
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from psycopg import Cursor as ServerBindingCursor
else:
    ServerBindingCursor = base.ServerBindingCursor

MOST_VALUES = 2**16 - 1


class Cursor(ServerBindingCursor):
    """Asks again where a migration has changed a column since its statement was planned.

    Else every kept connection would refuse that statement from the migration on until the
    servers start anew. Inside a transaction, whose ROLLBACK has the same effect, it fails once.
    """

    def execute(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().execute(*arguments, **options)
        except FeatureNotSupported:  # "cached plan must not change result type"
            if self.connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            self.connection.execute("DEALLOCATE ALL")  # psycopg forgets them with the server
            return super().execute(*arguments, **options)


class DatabaseOperations(operations.DatabaseOperations):
    def bulk_batch_size(self, fields: Any, objs: Any) -> int:
        """Return how many objects fit into a statement: the protocol counts values in two bytes.

        Django sends values in the statement's text by default, which has no such limit.
        """
        return MOST_VALUES // max(len(fields), 1)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def is_usable(self) -> bool:
        """Whether the connection still is one; CONN_HEALTH_CHECKS asks before each request.

        A server that goes says so, and closes: there is something to read. As long as there is
        nothing, and nothing failed, Django's own `SELECT 1` would only be a statement more.
        """
        connection: Any = self.connection
        if self.errors_occurred or connection.closed:
            return super().is_usable()
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN | select.POLLHUP)
        return not poll.poll(0) or super().is_usable()
