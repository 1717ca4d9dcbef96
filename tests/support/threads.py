"""End the threads that poll another server."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import ModuleType
from unittest.mock import Mock

import pytest


def feed_readers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "revocation feed"]


def end_threads(module: ModuleType, threads: Iterable[threading.Thread]) -> None:
    """End the threads that poll with `fetch_json` of the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fetch_json", Mock(side_effect=SystemExit))
        patch.setattr(threading, "excepthook", lambda args: None)  # pytest would warn
        for thread in threads:
            thread.join(timeout=10)
            assert not thread.is_alive()
