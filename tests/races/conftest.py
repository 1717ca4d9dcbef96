"""Real threads with real connections, let go at the same moment."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

ROUNDS = int(os.environ.get("ROUNDS", "25"))  # enough to lose a race in, where a guard is gone
THREADS = 8


@pytest.fixture
def together() -> Any:
    """Run the actions at once, each in a thread of its own; return their results in order.

    A thread keeps its connection for the length of the test, as a server's does.
    """
    with ThreadPoolExecutor(max_workers=THREADS) as pool:

        def run(*actions: Callable[[], Any]) -> list[Any]:
            barrier = Barrier(len(actions), timeout=30)

            def start(action: Callable[[], Any]) -> Any:
                connection.ensure_connection()
                barrier.wait()
                return action()

            return [
                future.result(timeout=60) for future in [pool.submit(start, a) for a in actions]
            ]

        yield run
        run(*[connections.close_all] * THREADS)


@pytest.fixture
def user(transactional_db: Any) -> Any:
    """A user in a database that every thread sees."""
    from tests.support.factories import UserFactory

    return UserFactory()
