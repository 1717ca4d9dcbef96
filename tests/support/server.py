"""The project served by gunicorn, with several workers and a database of its own."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
from django.db import connection

ROOT = Path(__file__).parents[2]
WORKERS = 4

# Tests may run in several processes at once, which pytest-xdist calls gw0, gw1 and so on, and in
# several runs at once, each with a number for its first process.
TEST_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
TEST_PROCESS += int(os.environ.get("FIRST_TEST_PROCESS", "0"))
FIRST_PORT = 20_000 + 1_000 * TEST_PROCESS
_numbers = itertools.count()
_ports = itertools.cycle(range(FIRST_PORT, FIRST_PORT + 1_000))


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Run a server of the standard library in a thread for the length of the block."""
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on.

    Each test process has a thousand of its own, below those that the system gives to clients:
    nobody takes the port between this call and the start of the server.
    """
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError  # not reached: the cycle is endless


def beside(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def query(url: str, sql: str) -> list[Any]:
    """Return the rows of a query on the database with this URL."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as held:
            return held.execute(sql).fetchall()
    with psycopg.connect(url) as held:
        return held.execute(sql).fetchall()


@contextmanager
def database(folder: Path, *, like: str | None = None) -> Iterator[str]:
    """Yield the URL of a new database, of the kind that the tests run on.

    It is empty, or a copy of the one with the URL `like`, which must have no connections.
    """
    if connection.vendor == "sqlite":
        path = folder / "site.sqlite3"
        if like:
            shutil.copy(like.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    name = f"served_{TEST_PROCESS}_{next(_numbers)}"
    template = f"TEMPLATE {urlsplit(like).path.strip('/')}" if like else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")  # left by a killed run
        cursor.execute(f"CREATE DATABASE {name} {template}")
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
    """Return the environment of the server: DEBUG, for the demo users, and no rate limits."""
    url = variables["DATABASE_URL"]
    # Keep connections, as outside DEBUG.
    variables["DATABASE_URL"] = f"{url}{'&' if '?' in url else '?'}conn_max_age=600"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": "",
        "DEBUG": "True",
        "DEMO_USERS": "True",
        "ACCOUNTS_ALLOW_SIGNUP": "True",
        "SECRET_KEY": "only-for-the-tests-" * 4,
        "JWT_SIGNING_KEY": "signs-the-tokens-of-the-tests-" * 3,
        "LOG_LEVEL": "ERROR",
        "RATE_LIMITS": "False",  # all tests use one address
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

    @property
    def address(self) -> tuple[str, int]:
        url = urlsplit(self.url)
        return str(url.hostname), int(url.port or 0)

    def workers(self) -> set[psutil.Process]:
        """Return its worker processes, including those that are stopping."""
        return set(psutil.Process(self.process.pid).children())

    def listens(self) -> bool:
        """Return whether any process still listens on the port, without connecting to it."""
        return any(
            found.laddr[:2] == self.address and found.status == psutil.CONN_LISTEN
            for found in psutil.net_connections("tcp4")
        )

    def kill(self) -> None:
        """End it as a power cut does, with all of its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)


@contextmanager
def gunicorn(
    env: dict[str, str],
    workers: int = WORKERS,
    *,
    as_deployed: bool = False,
    port: int | None = None,
) -> Iterator[Server]:
    """Serve the project, with the configuration of a deployment or a plain one.

    Ends the server by its pid.
    """
    port = port or free_port()
    config = ["--config", "config/gunicorn.conf.py"] if as_deployed else ["--threads", "2"]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "config.wsgi"),
            *("--bind", f"127.0.0.1:{port}", "--workers", str(workers)),
            *(*config, "--log-level", "error"),
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
