"""Rate limits count in windows of the clock: what a test counts must fall into one of them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

SECONDS = {"hour": 3600, "day": 86400}


def within_one(unit: str) -> Iterator[int]:
    """Repeat the loop's body until the clock is in one hour, or day, from its start to its end.

    Yields 0, and 1 where the first try crossed into the next window.
    """
    for attempt in itertools.count():
        window = time.time() // SECONDS[unit]
        yield attempt
        if time.time() // SECONDS[unit] == window:
            return
