"""How gunicorn serves the project: `gunicorn --config config/gunicorn.conf.py config.wsgi`.

HOST and PORT say where, WEB_CONCURRENCY with how many processes.
"""

import os
from typing import Any

from config.monitoring.logs import logging_config
from config.processors import cpus

# All addresses. Behind a proxy, a firewall or a private network limits who can connect.
bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104

# Threads: most of a request is waiting for the database. Processes: one thread of Python runs at
# a time. Two at least, so that one of them answers while the other starts anew.
# Threads get complete requests only: see config.worker.
worker_class = "config.worker.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or max(2, cpus())
threads = 4

# Each process loads the project by itself: a connection to the database does not live through a
# fork.
preload_app = False

# A process that leaks starts anew before it hurts; not all of them at the same moment.
max_requests = 20_000
max_requests_jitter = 2_000

# A proxy keeps its connections open: longer than it waits between two requests.
keepalive = 15

# A process that has not moved for so long is replaced. Its requests are lost, so this is more
# than any of them takes: connecting to PostgreSQL may take 10 s, waiting for SQLite 20.
timeout = 40

# After SIGTERM no new request is taken, and those that came have so long to end. Platforms send
# SIGKILL after 30 s (Kubernetes, Heroku) or 10 (Docker, unless stop_grace_period says more).
graceful_timeout = 25

# Each process updates a file here to show that it is alive. In memory, because a slow disk must
# not make gunicorn kill it.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# config.middleware.access logs each request, without the query string. Gunicorn's own lines, about
# starts, stops and broken requests, have the same format.
accesslog = None
logconfig_dict = logging_config(
    os.environ.get("LOG_LEVEL", "INFO").upper(), os.environ.get("LOG_FORMAT", "json"), "stdout"
)

# No header of a client changes what gunicorn tells the application, not even from 127.0.0.1, where
# a proxy passes on what its own clients send. SCRIPT_NAME would choose the path: `/x/metrics` gets
# past a proxy that blocks `/metrics`. The scheme is up to Django, which asks NUM_PROXIES.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# No socket by which a running server could be steered.
control_socket_disable = True

# PostgreSQL's max_connections (100), without those that it reserves for superusers (3).
MOST_CONNECTIONS = 97


def on_starting(server: Any) -> None:
    """Warn where this machine alone may open more connections than PostgreSQL takes by default."""
    connections = server.cfg.workers * server.cfg.threads
    if connections > MOST_CONNECTIONS:
        server.log.warning(
            "%s processes with %s threads use up to %s database connections; PostgreSQL accepts "
            "%s unless you raise max_connections. Lower WEB_CONCURRENCY, or see docs/scaling.md.",
            server.cfg.workers,
            server.cfg.threads,
            connections,
            MOST_CONNECTIONS,
        )
