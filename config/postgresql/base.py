"""Django's PostgreSQL, with connections that are kept and cost a request nothing."""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
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
