"""The counts of the rate limits: in the cache, or in this process while the cache fails."""

from __future__ import annotations

import logging
from threading import Lock
from time import monotonic
from uuid import uuid4

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

logger = logging.getLogger(__name__)

PAUSE = 10  # seconds before a cache that failed is asked again


class Counts:
    """Counts in the cache; alone for PAUSE seconds after the cache failed.

    A failing cache must neither block requests nor remove the limits. If it hangs, each call waits
    for its timeout, so only one request per PAUSE checks whether it works again.
    """

    def __init__(self) -> None:
        # With a unique name: Django shares the entries of local caches that have the same name.
        self.own = LocMemCache(uuid4().hex, {"OPTIONS": {"MAX_ENTRIES": 100_000}})
        self._lock = Lock()
        self._is_down = False
        self._ask_again_at = 0.0

    def add(self, key: str, period: int) -> int:
        """Count one more within the period, in seconds; return the new count."""
        is_trial = self._is_down
        if is_trial and not self._may_ask():
            return _add(self.own, key, period)
        try:
            count = _add(cache, key, period)
        except Exception as error:  # each backend raises its own
            self._fails(error)
            return _add(self.own, key, period)
        if is_trial:
            self._works()
        return count

    def _may_ask(self) -> bool:
        with self._lock:
            if monotonic() < self._ask_again_at:
                return False
            self._ask_again_at = monotonic() + PAUSE  # other requests do not wait for the result
            return True

    def _fails(self, error: Exception) -> None:
        with self._lock:
            was_down, self._is_down = self._is_down, True
            self._ask_again_at = monotonic() + PAUSE
        if not was_down:
            logger.error("each process throttles alone: the cache failed (%r)", error)

    def _works(self) -> None:
        with self._lock:
            was_down, self._is_down = self._is_down, False
        if was_down:
            logger.warning("the processes throttle together again: the cache works")


def _add(cache: BaseCache, key: str, period: int) -> int:
    """Count one more. `add` and `incr` are atomic."""
    for _attempt in range(3):
        if cache.add(key, 1, timeout=period):
            return 1
        try:
            return int(cache.incr(key))  # raises ValueError for anything but a number
        except ValueError:  # expired between the two calls, or not a number
            continue
    raise RuntimeError("The cache does not keep what was written to it.")
