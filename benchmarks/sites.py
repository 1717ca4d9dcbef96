"""The four that are measured, each served by the same gunicorn from the same PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

ROOT = Path(__file__).parents[1]
WORKERS, THREADS = 2, 4


@dataclass(frozen=True)
class Site:
    """What is served. Its `database` is made by the migrations of its `owner`."""

    title: str
    application: str
    settings: str
    database: str
    signs: bool = True  # tokens; the floors take a session id for one
    python: str = sys.executable


OURS = Site("this project", "config.wsgi", "benchmarks.settings", "ours")
PEER = Site("Simple JWT 5.5.1", "benchmarks.serve", "benchmarks.simple_jwt.settings", "theirs")
BARE = Site("bare WSGI", "benchmarks.floor.bare", OURS.settings, "ours", signs=False)
VIEW = Site("empty DRF view", "benchmarks.serve", "benchmarks.floor.settings", "ours", signs=False)
SITES = (OURS, PEER, VIEW, BARE)


class Server:
    """A PostgreSQL, and what is asked of it as its superuser."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)

    def url_of(self, database: str) -> str:
        head, mark, query = self.url.partition("?")
        return f"{head.rpartition('/')[0]}/{database}{mark}{query}"

    def create(self, database: str) -> None:
        self.connection.execute(f"CREATE DATABASE {database}")

    def run(self, database: str, *statements: str) -> list[Any]:
        """Send the statements; return the rows of the last."""
        with psycopg.connect(self.url_of(database), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def process(self) -> psutil.Process:
        """Return the process whose children serve the connections."""
        (backend,) = self.connection.execute("SELECT pg_backend_pid()").fetchone()
        return psutil.Process(backend).parent()


def environment(site: Site, server: Server) -> dict[str, str]:
    """Return what a deployment would set, with every throttle off."""
    throttles = ("LOGIN", "LOGIN_ACCOUNT", "REFRESH")
    return {
        **os.environ,
        **{f"THROTTLE_{name}": "" for name in throttles},
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "ENV_FILE": "",
        "DJANGO_SETTINGS_MODULE": site.settings,
        "DATABASE_URL": server.url_of(site.database),
        "DEBUG": "False",
        "SECRET_KEY": "only-for-the-benchmark-" * 4,
        "JWT_SIGNING_KEY": "signs-the-tokens-of-the-benchmark-" * 3,
        "ALLOWED_HOSTS": "localhost,testserver",
        "EMAIL_URL": "dummymail://",
        "SECURE_SSL_REDIRECT": "False",
        "ACCESS_TOKEN_SECONDS": "3600",  # longer than the benchmark takes
    }


def run_python(site: Site, server: Server, *arguments: str, timeout: float = 600) -> str:
    """Run Python with the site's settings; return what it printed."""
    return subprocess.run(
        [site.python, *arguments],
        cwd=ROOT,
        env=environment(site, server),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=timeout,
    ).stdout


def stock(site: Site, server: Server, sessions: int) -> dict[str, Any]:
    """Open so many sessions without HTTP; see `benchmarks.stock`."""
    owner = site if site.signs else OURS
    return json.loads(run_python(owner, server, "-m", "benchmarks.stock", str(sessions)))


@dataclass
class Served:
    port: int
    process: psutil.Process

    def workers(self) -> list[psutil.Process]:
        return self.process.children()


@contextmanager
def served(site: Site, server: Server) -> Iterator[Served]:
    """Serve the site; end its server by its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gunicorn = subprocess.Popen(
        [
            *(site.python, "-m", "gunicorn", site.application, "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS)),
            *("--keep-alive", "75", "--log-level", "error"),
        ],
        cwd=ROOT,
        env=environment(site, server),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, gunicorn)
        yield Served(port, psutil.Process(gunicorn.pid))
    finally:
        gunicorn.send_signal(signal.SIGTERM)
        gunicorn.wait(timeout=60)


def _wait_for(port: int, gunicorn: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and gunicorn.poll() is None:
        if len(psutil.Process(gunicorn.pid).children()) == WORKERS:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                pass
            else:
                return
        time.sleep(0.1)
    raise TimeoutError("gunicorn did not start")
