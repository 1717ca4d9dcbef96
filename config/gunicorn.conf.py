"""gunicorn's configuration: `gunicorn --config config/gunicorn.conf.py config.wsgi`.

HOST and PORT set the address, WEB_CONCURRENCY the number of processes.
"""

import importlib
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from gunicorn.workers.gthread import ThreadWorker

from config.monitoring.logs import logging_config
from config.processors import cpus

LOG_LEVEL = os.environ.get("LOG_LEVEL", "INFO").upper()
LOG_FORMAT = os.environ.get("LOG_FORMAT", "json")


# config.settings checks these, too, but logging needs them earlier.
if LOG_LEVEL not in logging.getLevelNamesMapping():
    sys.exit("LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
if LOG_FORMAT not in {"line", "json"}:
    sys.exit("LOG_FORMAT must be line or json.")

# All interfaces. A firewall or a private network has to limit who can connect.
bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104

# Threads, so that a request that waits for the database does not block others.
# Several processes, because only one thread of a process runs Python at a time; at least two, so
# that one answers while the other restarts. `python -m benchmarks servers` compares other numbers.
# A thread reads its request and writes its response itself, so the proxy in front has to buffer
# both.


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not annotated
    """gunicorn's gthread worker, without lost requests when it stops.

    gunicorn keeps its listeners open until the last request is answered. Clients can connect, but
    are never accepted, and get a connection reset. In three restarts behind Caddy, under eight
    clients, 18 of 34,906 POSTs returned 502; with this class, 0 of 34,884.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        """When the worker stops, accept the waiting connections, then close the listeners."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            before = -1
            with suppress(OSError):  # too many open files: accepted requests are still answered
                while before < self.nr_conns:
                    before = self.nr_conns
                    self.accept(listener)
            listener.close()
        self.sockets: list[Any] = []

    def murder_keepalived(self, force: bool = False) -> None:
        """When the worker stops, read requests that have arrived before closing idle connections.

        gunicorn waits up to 2 s for a client to close its connection and handles no other in that
        time. Then it closes the idle connections unread, and a request that was sent on one of them
        is lost (tests/config/test_restarts.py has the case).
        """
        if force or self.alive or not self.poller.select(0):
            super().murder_keepalived(force)


worker_class = Worker
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or max(2, cpus())
threads = 4

# Each process imports the project itself, because a database connection does not survive a fork.
preload_app = False

# Restart processes before a memory leak matters. The jitter prevents simultaneous restarts.
max_requests = 20_000
max_requests_jitter = 2_000

# Seconds. Longer than a proxy usually waits between two requests.
keepalive = 15

# Seconds after which a hanging process is killed. Longer than any request takes: connecting to
# PostgreSQL may take 10 s, a lock of SQLite 20 s.
timeout = 40

# Seconds after SIGTERM for answering accepted requests. Platforms send SIGKILL after 30 s
# (Kubernetes, Heroku) or 10 s (Docker, unless stop_grace_period is longer).
graceful_timeout = 25

# Each process updates a file here to show that it is alive. In memory, because with a slow disk
# gunicorn would kill it.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# config.middleware.access logs the requests, without the query string. gunicorn logs starts, stops
# and malformed requests in the same format.
accesslog = None
logconfig_dict = logging_config(LOG_LEVEL, LOG_FORMAT, "stdout")

# Trust no header, not even from 127.0.0.1: a local proxy may forward its clients' headers. With
# SCRIPT_NAME, `/x/metrics` would pass a proxy that blocks `/metrics`. Django determines the scheme
# if NUM_PROXIES is set.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# No socket to control the running server.
control_socket_disable = True

# PostgreSQL's default max_connections (100) minus those reserved for superusers (3).
MAX_CONNECTIONS = 97


def on_starting(server: Any) -> None:
    """Exit if settings are invalid, delete old metrics, warn of too many database connections."""
    if folder := require_the_project():
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # for child_exit
        for path in Path(folder).glob("*.db"):
            path.unlink(missing_ok=True)
    connections = server.cfg.workers * server.cfg.threads
    if connections > MAX_CONNECTIONS:
        server.log.warning(
            "%s processes with %s threads use up to %s database connections; PostgreSQL accepts "
            "%s unless you raise max_connections. Lower WEB_CONCURRENCY, or see docs/scaling.md.",
            server.cfg.workers,
            server.cfg.threads,
            connections,
            MAX_CONNECTIONS,
        )


def post_worker_init(worker: Any) -> None:
    """Send what waits, before the first request."""
    from accounts import background  # noqa: PLC0415  # the project is loaded now

    background.start()


def child_exit(server: Any, worker: Any) -> None:
    """Remove the gauges of a process that has ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess  # noqa: PLC0415  # it reads the variable

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def require_the_project() -> str:
    """Import the project in a child process; if its settings are invalid, print why and exit.

    Otherwise gunicorn would print a traceback for each worker. Not imported in this process,
    because a reload would then start new workers with the old code.

    Returns:
        The folder of the metrics, or "" if metrics are off.
    """
    reader, writer = os.pipe()
    if child := os.fork():
        os.close(writer)
        with os.fdopen(reader) as pipe:
            folder = pipe.read()
        _pid, status = os.waitpid(child, 0)
        if status:
            sys.exit(1)
        return folder
    try:
        importlib.import_module("config.wsgi")
    except (ImproperlyConfigured, OSError) as error:
        os.write(2, f"{error}\n".encode())
        os._exit(1)
    os.write(writer, settings.METRICS_DIR.encode() if settings.METRICS_TOKEN else b"")
    os._exit(0)
