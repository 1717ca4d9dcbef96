"""The project as a deployment runs it: outside DEBUG, with an environment of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .checkout import bare_environment
from .server import free_port, query

SIGN_UP = "/_allauth/app/v1/auth/signup"


def production(project: Path, folder: Path, url: str) -> dict[str, str]:
    """Return the environment of a deployment with this database."""
    return bare_environment(
        ENV_FILE="",
        SECRET_KEY=secrets.token_urlsafe(64),
        JWT_SIGNING_KEY=secrets.token_urlsafe(64),
        ALLOWED_HOSTS="127.0.0.1",
        EMAIL_URL="dummymail://",
        ACCOUNTS_ALLOW_SIGNUP="True",
        ACCOUNT_EMAIL_VERIFICATION="none",  # no mail server sends the codes
        DATABASE_URL=url,
        NUM_PROXIES="1",
        METRICS_DIR=str(folder / "metrics"),
        PATH=f"{project / '.venv/bin'}:{os.environ['PATH']}",
        MARK=uuid.uuid4().hex,  # identifies its processes
        HOST="127.0.0.1",
        PORT=str(free_port()),
    )


def processes(env: dict[str, str]) -> list[bytes]:
    """Return the processes that were started with this environment and still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"MARK={env['MARK']}".encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" "))
        except OSError:
            continue
    return found


@contextmanager
def started(
    command: list[str], project: Path, env: dict[str, str], **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Run a command, and kill it at the end of the block if it still runs."""
    process = subprocess.Popen(
        command,
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError


def answers(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/health/ready/", timeout=10) as answer:
        return bool(answer.status == 200)


def runs(url: str) -> int:
    """Return the number of flushes in the database with this URL."""
    ((count,),) = query(url, "SELECT count(*) FROM token_blacklist_flushrun")
    return int(count)
