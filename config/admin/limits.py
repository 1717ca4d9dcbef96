"""The time limit of the admin's statements, and the time zone that its pages use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import OperationalError, connection, transaction
from django.http import HttpRequest

STATEMENT_TIMEOUT = timedelta(seconds=10)
QUERY_CANCELED = "57014"  # PostgreSQL's code
ZONE_COOKIE = "timezone"  # static/js/admin.js sets it


@contextmanager
def time_limit() -> Iterator[None]:
    """Limit each statement on PostgreSQL to STATEMENT_TIMEOUT, in one transaction.

    A statement goes on after the browser has given up. The limit ends with the transaction, so it
    affects no other request, not even behind a pooler that shares connections by transaction.
    """
    if connection.vendor != "postgresql":  # on SQLite, a transaction would lock out all writers
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            milliseconds = STATEMENT_TIMEOUT // timedelta(milliseconds=1)
            cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")
        yield


def is_timeout(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == QUERY_CANCELED


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    """Return the time zone of the browser, or None if it is unknown."""
    try:
        return ZoneInfo(request.COOKIES[ZONE_COOKIE])
    except (KeyError, ValueError, OSError):  # ZoneInfo raises any of them for other texts
        return None
