"""What PostgreSQL is sent, from its own log."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.sites import Server

NO_WORK = re.compile(r"BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET |$", re.IGNORECASE)


@contextmanager
def log_of(server: Server) -> Iterator[Callable[[], str]]:
    """Have the server log every statement; give what it wrote since."""
    log = server.connection.execute("SHOW data_directory").fetchone()[0] + "/log"

    def configure(statements: str, prefix: str) -> None:
        server.connection.execute(f"ALTER SYSTEM SET log_statement = {statements}")
        server.connection.execute(f"ALTER SYSTEM SET log_line_prefix = {prefix}")
        server.connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)

    configure("'all'", "'<%d>'")
    (start,) = server.connection.execute("SELECT size FROM pg_stat_file(%s)", (log,)).fetchone()
    try:
        yield lambda: server.connection.execute(
            "SELECT pg_read_file(%s, %s, 100000000)", (log, start)
        ).fetchone()[0]
    finally:
        configure("DEFAULT", "DEFAULT")


@contextmanager
def statements_of(server: Server, database: str) -> Iterator[Callable[[], list[str]]]:
    """Have the server log every statement; give those that the database was sent since.

    Each begins with its first line; the others are not there.
    """
    line = re.compile(rf"^<{database}>LOG:  (?:statement|execute [^:]*):\s*(.*)", re.MULTILINE)
    with log_of(server) as read:
        yield lambda: [" ".join(found.split()) for found in line.findall(read())]
