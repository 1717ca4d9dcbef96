"""Real threads with real connections, let go at the same moment."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

ROUNDS = int(os.environ.get("ROUNDS", "50"))
THREADS = 8


@pytest.fixture
def together() -> Any:
    """Run the actions at once, each in a thread of its own; return their results in order."""
    with ThreadPoolExecutor(max_workers=THREADS) as pool:

        def run(*actions: Callable[[], Any]) -> list[Any]:
            barrier = Barrier(len(actions), timeout=30)

            def start(action: Callable[[], Any]) -> Any:
                connection.ensure_connection()
                barrier.wait()
                try:
                    return action()
                finally:
                    connection.close()

            return [
                future.result(timeout=60) for future in [pool.submit(start, a) for a in actions]
            ]

        yield run


@pytest.fixture
def person(transactional_db: Any) -> Any:
    """A user in a database that every thread sees."""
    from tests.factories import UserFactory

    return UserFactory()
