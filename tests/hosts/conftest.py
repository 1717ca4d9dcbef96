"""The project of a site that has copied the app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.support.host import Host, new_host


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Make a project: `new(models="...", USE_TZ=False)`. See `tests.support.host.new_host`."""
    with ExitStack() as stack:
        yield partial(new_host, tmp_path, stack)
