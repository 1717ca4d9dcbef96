"""The samples of /metrics, from processes that share a database and metrics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from .checkout import ROOT, bare_environment

TOKEN = "a-token-for-prometheus"
READ = f"""
import django, sys
django.setup()
from django.core.management import call_command
from django.test import Client

client = Client(headers={{"accept": "text/html"}}, raise_request_exception=False)

def read():
    return client.get("/metrics", headers={{"Authorization": "Bearer {TOKEN}"}}).text
"""


def environment(folder: Path, database: str) -> dict[str, str]:
    """Return the environment of the processes of one machine."""
    return bare_environment(
        DJANGO_SETTINGS_MODULE="config.settings",
        ENV_FILE="",
        DEBUG="True",
        JWT_SIGNING_KEY="signs-the-tokens-of-the-tests-" * 3,
        ALLOWED_HOSTS="testserver,127.0.0.1",
        DATABASE_URL=database,
        METRICS_DIR=str(folder / "metrics"),
        METRICS_TOKEN=TOKEN,
        LOG_STREAM="stderr",
        EMAIL_URL="smtp://127.0.0.1:9",  # where no server is
        PYTHONPATH=str(ROOT),
    )


def samples(environment: dict[str, str], code: str, *arguments: str) -> list[Any]:
    """Return the samples that a process prints at the end of the code, by `read()`."""
    return parsed(python(environment, "-c", READ + code, *arguments))


def python(environment: dict[str, str], *arguments: str) -> str:
    """Run Python with these arguments; return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout


def parsed(text: str) -> list[Any]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]
