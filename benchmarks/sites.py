"""What is measured: each site is served by the same gunicorn from the same database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import psycopg

from . import apis

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Gunicorn:
    """How a site is served."""

    worker: str = "gthread"
    workers: int = 2
    threads: int = 4
    processors: int = 0  # that its processes may use; 0 for all

    def __str__(self) -> str:
        threads = f" with {self.threads} threads" if self.worker != "sync" else ""
        return f"{self.workers} {self.worker}{threads}"


GTHREAD = Gunicorn()


@dataclass(frozen=True)
class Site:
    """What is served: a settings module of `benchmarks.projects`, from a database of its own."""

    title: str
    settings: str
    database: str
    api: apis.Api = field(default_factory=apis.Api)
    application: str = "benchmarks.serve"
    python: str = sys.executable
    lacks_migrations: str = ""  # the app whose migrations the project has to make


PROJECTS = "benchmarks.projects"
OURS = Site("this project as shipped", f"{PROJECTS}.shipped", "ours", application="config.wsgi")
AGAIN = replace(OURS, title="the same site again")
ALONE = Site("its app alone", f"{PROJECTS}.alone", "alone", apis.ByName())
PEER = Site("Simple JWT 5.5.1", f"{PROJECTS}.simple_jwt", "theirs", apis.ByName())


class Server:
    """A PostgreSQL, and what is asked of it as its superuser."""

    title = "PostgreSQL"

    def __init__(self, url: str) -> None:
        self.url = url
        self.variables: dict[str, str] = {}  # of the sites that use it
        self.created: set[str] = set()
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

    def processes(self) -> list[psutil.Process]:
        """Return the processes that, with their children, serve the connections."""
        (backend,) = self.connection.execute("SELECT pg_backend_pid()").fetchone()
        return [psutil.Process(backend).parent()]


class Files(Server):
    """SQLite in a folder."""

    title = "SQLite"

    def __init__(self, folder: str) -> None:
        self.url = f"sqlite:///{folder}/none.sqlite3"
        self.variables = {}
        self.created = set()

    def url_of(self, database: str) -> str:
        return self.url.replace("none", database)

    def create(self, database: str) -> None:
        """Django creates it."""

    def processes(self) -> list[psutil.Process]:
        return []


@cache
def database_options(url: str) -> str:
    """Return the database of this project's settings at that URL, as JSON."""
    code = "import json; from config.settings import DATABASE; print(json.dumps(DATABASE))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **DEPLOYED, "DATABASE_URL": url},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


# What a deployment would set, without rate limits.
DEPLOYED = {
    "RATE_LIMITS": "False",
    "ENV_FILE": "",
    "DEBUG": "False",
    "SECRET_KEY": "only-for-the-benchmark-" * 4,
    "JWT_SIGNING_KEY": "signs-the-tokens-of-the-benchmark-" * 3,
    "ALLOWED_HOSTS": "localhost,testserver",
    "EMAIL_URL": "dummymail://",
    "SECURE_SSL_REDIRECT": "False",
    "ACCESS_TOKEN_SECONDS": "3600",  # longer than the benchmark takes
}


def environment(site: Site, server: Server) -> dict[str, str]:
    """Return the environment of each process of the site."""
    url = server.url_of(site.database)
    return {
        **os.environ,
        **DEPLOYED,
        **server.variables,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "DJANGO_SETTINGS_MODULE": site.settings,
        "DATABASE_URL": url,
        "BENCHMARK_DATABASE": database_options(url),
    }


def run_python(
    site: Site, server: Server, *arguments: str, given: str | None = None, timeout: float = 600
) -> str:
    """Run Python with the site's settings and this input; return what it printed."""
    return subprocess.run(
        [site.python, *arguments],
        cwd=ROOT,
        env=environment(site, server),
        check=True,
        stdout=subprocess.PIPE,
        input=given,
        text=True,
        timeout=timeout,
    ).stdout


def create_database(site: Site, server: Server) -> None:
    """Create the site's database with its tables, unless an earlier part has done so."""
    if site.database in server.created:
        return
    server.created.add(site.database)
    server.create(site.database)
    if site.lacks_migrations:
        run_python(site, server, "-m", "django", "makemigrations", "-v0", site.lacks_migrations)
    run_python(site, server, "-m", "django", "migrate", "-v0")


def stock(site: Site, server: Server, sessions: int) -> dict[str, Any]:
    """Open so many sessions without HTTP; see `benchmarks.stock`."""
    printed = run_python(site, server, "-m", "benchmarks.stock", str(sessions))
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@dataclass
class Served:
    port: int
    process: psutil.Process

    def workers(self) -> list[psutil.Process]:
        return self.process.children()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def served(site: Site, server: Server, how: Gunicorn = GTHREAD) -> Iterator[Served]:
    """Serve the site, whose log goes to a file; end its server by its process id."""
    port = free_port()
    # Replaced by gunicorn, which passes the limit on to its workers.
    limited = ["taskset", "--cpu-list", f"0-{how.processors - 1}"] if how.processors else []
    command = [
        *(*limited, site.python, "-m", "gunicorn", site.application),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", how.worker),
        *("--workers", str(how.workers), "--threads", str(how.threads)),
        *("--keep-alive", "75", "--log-level", "error"),
    ]
    with tempfile.TemporaryFile() as log:
        gunicorn = subprocess.Popen(command, cwd=ROOT, env=environment(site, server), stdout=log)
        try:
            _wait_for(port, gunicorn, how.workers)
            yield Served(port, psutil.Process(gunicorn.pid))
        finally:
            gunicorn.send_signal(signal.SIGTERM)
            gunicorn.wait(timeout=60)


def _wait_for(port: int, process: subprocess.Popen[bytes], children: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if len(psutil.Process(process.pid).children()) >= children:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                pass
            else:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{process.args} did not start")
