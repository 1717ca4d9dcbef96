"""Writes the table of docs/adopting.md: `python -m tests.support.comparison`."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import psycopg

from tests.support.checkout import ROOT
from tests.support.server import TEST_PROCESS, beside

from .adoption import environment, manage
from .tables import fill

PAGE = ROOT / "docs" / "adopting.md"
ROWS = 1_000_000


class emptied:  # noqa: N801  # reads as what it does
    """Give the URL of an empty database beside that one."""

    def __init__(self, url: str) -> None:
        self.url, self.name = url, f"adoption_{TEST_PROCESS}"

    def ask(self, query: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(query)

    def __enter__(self) -> str:
        self.ask(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        self.ask(f"CREATE DATABASE {self.name}")
        return beside(self.url, self.name)

    def __exit__(self, *exc: object) -> None:
        self.ask(f"DROP DATABASE {self.name} WITH (FORCE)")


def migration(url: str, rows: int) -> str:
    """Migrate that many rows while others sign in; return the table of how long it took."""
    with emptied(url) as name:
        manage(name, "migrate", "--verbosity=0", adopted=False)
        with psycopg.connect(name, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name,"
                " email, is_staff, is_active, date_joined) SELECT '', false, 'p' || n, '', '', '',"
                f" false, true, now() FROM generate_series(1, {rows // 20}) AS n"
            )
            connection.execute(
                "INSERT INTO token_blacklist_outstandingtoken (user_id, jti, token, created_at,"
                f" expires_at) SELECT 1 + n % {rows // 20}, md5(n::text), repeat('eyJ', 100),"
                f" now(), now() + interval '1 day' FROM generate_series(1, {rows}) AS n"
            )
            connection.execute(
                "INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at)"
                " SELECT id, now() FROM token_blacklist_outstandingtoken WHERE id % 10 < 3"
            )
            connection.execute("VACUUM ANALYZE")
        stalls: list[float] = []
        over = threading.Event()
        watching = threading.Thread(target=watch, args=(name, over, stalls))
        watching.start()
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=environment(name, adopted=True),
            check=True,
        )
        took = time.monotonic() - started
        over.set()
        watching.join()
    return "\n".join(
        [
            "| rows | `migrate` took | longest wait of a write |",
            "|---|---|---|",
            f"| {rows:,} | {took:.0f} s | {max(stalls) * 1000:.0f} ms |",
        ]
    )


def watch(name: str, over: threading.Event, stalls: list[float]) -> None:
    """Write a row, as a sign-in does, every few milliseconds; note how long each took.

    A column that is not there yet, or no more, is a statement that fails at once.
    """
    with psycopg.connect(name, autocommit=True) as connection:
        while not over.is_set():
            began = time.monotonic()
            connection.execute(
                "UPDATE token_blacklist_outstandingtoken SET created_at = created_at WHERE id = 7"
            )
            stalls.append(time.monotonic() - began)
            time.sleep(0.005)


def main() -> None:
    from tests.support.postgres import database_url

    with database_url() as url:
        fill(PAGE, {"migration": migration(url, ROWS)})


if __name__ == "__main__":
    main()
