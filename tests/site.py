"""The project served by gunicorn, with several workers and a database of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

ROOT = Path(__file__).parents[1]
WORKERS = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def beside(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """Give the URL of an empty database, of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'site.sqlite3'}"
        return
    name = "served_by_gunicorn"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    yield beside(os.environ["DATABASE_URL"], name)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def served(folder: Path, **variables: str) -> Iterator[str]:
    """Serve the project with demo users; give its base URL."""
    with database(folder) as url:
        env = environment(folder, DATABASE_URL=url, **variables)
        prepare(env)
        with gunicorn(env) as server:
            yield server.url


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return what the project is served with: in DEBUG, for its demo users, and no throttles."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": "",
        "DEBUG": "True",
        "DEMO_USERS": "True",
        "SECRET_KEY": "only-for-the-tests-" * 4,
        "JWT_SIGNING_KEY": "signs-the-tokens-of-the-tests-" * 3,
        "LOG_LEVEL": "ERROR",
        "CACHE_DIR": str(folder / "cache"),
        "THROTTLE_LOGIN": "",  # one address races as many
        "THROTTLE_LOGIN_ACCOUNT": "",
        "THROTTLE_REFRESH": "",
        **variables,
    }


def prepare(env: dict[str, str]) -> None:
    """Make the tables and the demo users."""
    demo = [sys.executable, "manage.py", "demo", f"--port={free_port()}"]
    subprocess.run(demo, cwd=ROOT, env=env, check=True, capture_output=True, timeout=60)


@dataclass(frozen=True)
class Server:
    url: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End it as a power cut does, with all of its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)


@contextmanager
def gunicorn(env: dict[str, str], workers: int = WORKERS) -> Iterator[Server]:
    """Serve the project. Ends the server by its pid."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "config.wsgi"),
            *("--bind", f"127.0.0.1:{port}", "--workers", str(workers)),
            *("--threads", "2", "--log-level", "error"),
        ],
        cwd=ROOT,
        env=env,
        start_new_session=True,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        _wait_until_it_answers(server.url)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _wait_until_it_answers(site: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{site}/health/live/", timeout=10).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(site)


def call(
    url: str, body: Any = None, access: str = "", headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Send a request; return its status and JSON."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers or {})
    request.add_header("Content-Type", "application/json")
    if access:
        request.add_header("Authorization", f"Bearer {access}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
