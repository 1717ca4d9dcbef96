"""What is measured: each site is served by the same gunicorn from the same database."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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


GTHREAD, SYNC = Gunicorn(), Gunicorn("sync", threads=1)


@dataclass(frozen=True)
class Site:
    """What is served. Its `database` is made by the migrations of its `owner`."""

    title: str
    application: str
    settings: str
    database: str
    api: apis.Api = field(default_factory=apis.Api)
    python: str = sys.executable

    @property
    def signs(self) -> bool:
        """Whether it has tokens. The floors take a session id for one."""
        return not isinstance(self.api, apis.Floor)


OURS = Site("this project", "config.wsgi", "benchmarks.settings", "ours")
AGAIN = replace(OURS, title="this project again")
PEER = Site(
    "Simple JWT 5.5.1",
    "benchmarks.serve",
    "benchmarks.simple_jwt.settings",
    "theirs",
    apis.SimpleJWT(),
)
BARE = Site("bare WSGI", "benchmarks.floor.bare", OURS.settings, "ours", apis.Floor())
VIEW = Site("empty DRF view", "benchmarks.serve", "benchmarks.floor.settings", "ours", apis.Floor())


class Server:
    """A PostgreSQL, and what is asked of it as its superuser."""

    title = "PostgreSQL"

    def __init__(self, url: str) -> None:
        self.url = url
        self.variables: dict[str, str] = {}  # of the sites that use it
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

    def url_of(self, database: str) -> str:
        return self.url.replace("none", database)

    def create(self, database: str) -> None:
        """Django creates it."""

    def processes(self) -> list[psutil.Process]:
        return []


class Pooled(Server):
    """A PostgreSQL behind PgBouncer in transaction mode, whose databases exist already."""

    title = "PostgreSQL behind PgBouncer"

    def __init__(
        self, server: Server, port: int, pooler: psutil.Process, has_prepared: bool
    ) -> None:
        self.connection, self.url = server.connection, f"postgres://bench@127.0.0.1:{port}/none"
        self.pooler = pooler
        self.variables = {"DB_PREPARED_STATEMENTS": str(has_prepared)}

    def processes(self) -> list[psutil.Process]:
        return [*super().processes(), self.pooler]


@contextmanager
def pooled(server: Server, folder: str) -> Iterator[Pooled | None]:
    """Run PgBouncer in front of the server; None if it is not installed."""
    program = shutil.which("pgbouncer")
    if program is None:
        yield None
        return
    printed = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True)
    version = tuple(map(int, re.findall(r"\d+", printed.stdout)[:2]))
    has_prepared = version >= (1, 21)
    to = server.connection.info
    password = f" password='{to.password}'" if to.password else ""
    port = free_port()
    lines = [
        "[databases]",
        f"* = host={to.host} port={to.port} user={to.user}{password}",
        "[pgbouncer]",
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =",
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 20\nlog_connections = 0",
        *(["max_prepared_statements = 100"] if has_prepared else []),
    ]
    file = Path(folder) / "pgbouncer.ini"
    file.write_text("\n".join(lines), encoding="utf-8")
    command = [program, "--quiet", str(file)]
    if os.geteuid() == 0:
        # It refuses to run as root. The owner of the server's socket can connect to it.
        command.append(f"--user={Path(to.host).owner() if Path(to.host).exists() else 'nobody'}")
        Path(folder).chmod(0o755)
    process = subprocess.Popen(command)
    try:
        _wait_for(port, process)
        yield Pooled(server, port, psutil.Process(process.pid), has_prepared)
    finally:
        process.terminate()
        process.wait(timeout=10)


def environment(site: Site, server: Server) -> dict[str, str]:
    """Return what a deployment would set, without rate limits."""
    return {
        **os.environ,
        "RATE_LIMITS": "False",
        **server.variables,
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
    server.create(site.database)
    run_python(site, server, "-m", "django", "migrate", "-v0")


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def served(site: Site, server: Server, how: Gunicorn = GTHREAD) -> Iterator[Served]:
    """Serve the site; end its server by its process id."""
    port = free_port()
    # Replaced by gunicorn, which passes the limit on to its workers.
    limited = ["taskset", "--cpu-list", f"0-{how.processors - 1}"] if how.processors else []
    gunicorn = subprocess.Popen(
        [
            *(*limited, site.python, "-m", "gunicorn", site.application),
            *("--bind", f"127.0.0.1:{port}", "--worker-class", how.worker),
            *("--workers", str(how.workers), "--threads", str(how.threads)),
            *("--keep-alive", "75", "--log-level", "error"),
        ],
        cwd=ROOT,
        env=environment(site, server),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, gunicorn, how.workers)
        yield Served(port, psutil.Process(gunicorn.pid))
    finally:
        gunicorn.send_signal(signal.SIGTERM)
        gunicorn.wait(timeout=60)


def _wait_for(port: int, process: subprocess.Popen[bytes], children: int = 0) -> None:
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
