"""How gunicorn starts, and refuses to."""

import logging
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.support.checkout import ROOT, bare_environment
from tests.support.server import free_port


@pytest.mark.parametrize(("workers", "warnings"), [(24, 0), (25, 1)])
def test_more_connections_than_postgresql_takes_by_default_are_one_warning(
    caplog, workers, warnings
):
    config = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))
    config["on_starting"].__globals__["require_the_project"] = lambda: None
    server = SimpleNamespace(
        cfg=SimpleNamespace(workers=workers, threads=config["threads"]),
        log=logging.getLogger("gunicorn.error"),
    )

    config["on_starting"](server)

    assert len(caplog.messages) == warnings
    assert all("up to 100 database connections" in message for message in caplog.messages)


@pytest.mark.process
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL."),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be line or json."),
        ({"ENV_FILE": "/nowhere/env"}, "- ENV_FILE names /nowhere/env, which does not exist."),
        (
            {"METRICS_TOKEN": "a token of the metrics", "METRICS_DIR": "/proc/nowhere"},
            "METRICS_DIR is not writable: No such file or directory.",
        ),
        ({"DEBUG": "False"}, "- SECRET_KEY is not set."),
    ],
)
def test_a_start_that_is_refused_gives_the_reason_and_no_traceback(variables, sentence):
    bind = f"127.0.0.1:{free_port()}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"),
            *("--bind", bind, "config.wsgi"),
        ],
        cwd=ROOT,
        env=bare_environment(**{"ENV_FILE": "", "DEBUG": "True"} | variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Booting worker" not in done.stdout
