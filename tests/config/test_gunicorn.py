"""What gunicorn says when it starts."""

import logging
import runpy
from types import SimpleNamespace

import pytest

from tests.support.checkout import ROOT


@pytest.mark.parametrize(("workers", "warnings"), [(24, 0), (25, 1)])
def test_more_connections_than_postgresql_takes_by_default_are_one_warning(
    caplog, workers, warnings
):
    config = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))
    server = SimpleNamespace(
        cfg=SimpleNamespace(workers=workers, threads=config["threads"]),
        log=logging.getLogger("gunicorn.error"),
    )

    config["on_starting"](server)

    assert len(caplog.messages) == warnings
    assert all("up to 100 database connections" in message for message in caplog.messages)
