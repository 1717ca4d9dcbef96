"""Threads with separate connections that start at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

ROUNDS = int(os.environ.get("ROUNDS", "10"))  # enough to fail if a lock is missing
THREADS = 8


@pytest.fixture
def together() -> Any:
    """Run the actions at the same time, each in its own thread; return the results in order.

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
    """A user that is committed, so that every thread sees it."""
    from tests.support.factories import UserFactory

    return UserFactory()
