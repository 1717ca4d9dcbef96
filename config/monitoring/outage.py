"""The log of a database outage: one traceback at its beginning and one line at its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from token_blacklist.exceptions import is_outage

logger = logging.getLogger(__name__)

# Seconds. On a full disk, reads succeed between writes that fail: that is one outage, not many.
QUIET = 5


class Outage:
    """Whether this process is in an outage: from the first failure to a success QUIET later."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failed_at: float | None = None

    def fails(self) -> bool:
        """Record a failure. Return whether it is the first of the outage."""
        with self._lock:
            is_first = self._failed_at is None
            self._failed_at = monotonic()
        return is_first

    def works(self) -> None:
        """Record a success, which ends the outage and is logged if it does."""
        if self._failed_at is None:  # nearly always, so without the lock
            return
        with self._lock:
            if self._failed_at is None or monotonic() - self._failed_at < QUIET:
                return
            self._failed_at = None
        logger.warning("the database answers again")


outage = Outage()


class FirstTraceback(logging.Filter):
    """Removes the traceback from each database failure except the first of an outage."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info and record.exc_info[1]
        if is_outage(error) and not outage.fails():
            record.exc_info = record.exc_text = None
        return True


def _notice(execute: Callable[..., Any], *call: Any) -> Any:
    result = execute(*call)
    outage.works()
    return result


def _watch(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if _notice not in connection.execute_wrappers:
        # First: Connection.execute_wrapper() removes the last one at its end.
        connection.execute_wrappers.insert(0, _notice)


connection_created.connect(_watch, dispatch_uid=__name__)
