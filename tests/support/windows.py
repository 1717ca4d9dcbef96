"""Rate limits count per clock hour or day: a test's requests must be in the same one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

SECONDS_PER = {"hour": 3600, "day": 86400}


def within_one(unit: str) -> Iterator[int]:
    """Repeat the loop's body until it starts and ends in the same hour, or day.

    Yields 0, and 1 where the first try crossed into the next window.
    """
    for attempt in itertools.count():
        window = time.time() // SECONDS_PER[unit]
        yield attempt
        if time.time() // SECONDS_PER[unit] == window:
            return
