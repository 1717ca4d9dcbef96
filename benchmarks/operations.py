"""The four operations, measured in rounds that alternate between the sites."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any

import psutil

from . import load
from .sites import SITES, Served, Server, Site, served, stock

CLIENTS = 8
OPERATIONS = ("refresh", "sign-out", "authenticated request", "sign-in")
COUNTED = 20  # requests whose statements are counted
FASTEST = 2000  # sign-outs a second that there are tokens for; where they run out, a round ends
NO_WORK = re.compile(r"BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET |$", re.IGNORECASE)


class Stock:
    """The sessions of a site that no operation has used yet."""

    def __init__(self, server: Server, site: Site, sessions: int) -> None:
        made = stock(site, server, sessions)
        self.site, self.people = site, made["people"]
        self.sessions: Iterator[dict[str, str]] = iter(made["sessions"])

    def refresh_tokens(self) -> Iterator[str]:
        for session in self.sessions:
            yield session["refresh"] if self.site.signs else f"{session['sid']}.0"

    def access_token(self) -> str:
        session = next(self.sessions)
        return session["access"] if self.site.signs else f"{session['sid']}.{session['user']}"

    def stories(self, operation: str, most: int | None = None) -> list[load.Story]:
        """Return what each of the clients does."""
        clients, refresh = range(CLIENTS), self.refresh_tokens()
        match operation:
            case "refresh":
                return [load.refreshing(next(refresh)) for _ in clients]
            case "sign-out":
                tokens = islice(refresh, most)
                return [load.signing_out(tokens) for _ in clients]
            case "sign-in":
                return [load.signing_in(self.people[n::CLIENTS]) for n in clients]
            case _:
                return [load.asking(self.access_token()) for _ in clients]


def measure(server: Server, *, rounds: int, warm_up: float, seconds: float) -> dict[str, Any]:
    """Return the figures of each round by operation and site, and what was measured once."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {
        operation: {site.title: [] for site in SITES} for operation in OPERATIONS
    }
    signed_out = int(FASTEST * (warm_up + seconds))
    needed = rounds * (signed_out + 4 * CLIENTS) + 20 * CLIENTS + 300
    stocks = {site: Stock(server, site, needed) for site in SITES}
    with ExitStack() as stack:
        running = {site: stack.enter_context(served(site, server)) for site in SITES}
        for site in SITES:  # what is loaded by the first requests
            for operation in OPERATIONS:
                load.run(running[site].port, stocks[site].stories(operation, 200), seconds=0.5)
        for number in range(rounds):
            for operation in OPERATIONS:
                for site in SITES if number % 2 == 0 else SITES[::-1]:
                    figures = one_round(
                        server,
                        running[site],
                        stocks[site].stories(operation, signed_out),
                        warm_up,
                        seconds,
                    )
                    found[operation][site.title].append(figures)
                    print(f"  {number + 1} {operation:22} {site.title:18}", end="")
                    print(f"{figures['CPU ms']:8.2f} ms{figures['per second']:8.0f}/s", flush=True)
        memory = {site.title: pss(running[site]) for site in SITES}
        counts = {
            operation: {
                site.title: statements(server, stocks[site], running[site], operation)
                for site in SITES
            }
            for operation in OPERATIONS
        }
    return {
        "memory": memory,
        "statements": counts,
        "rounds": found,
        "Rounds": rounds,
        "Seconds of a turn": seconds,
    }


def one_round(
    server: Server, running: Served, told: list[load.Story], warm_up: float, seconds: float
) -> dict[str, float]:
    before: list[float] = []

    def cpu() -> list[float]:
        return [busy(running.process), busy(server.process())]

    measured = load.run(
        running.port,
        told,
        warm_up=warm_up,
        seconds=seconds,
        started=lambda: before.extend(cpu()),
    )
    web, database = (after - began for after, began in zip(cpu(), before, strict=True))
    requests = len(measured.times)
    return {
        "CPU ms": (web + database) / requests * 1000,
        "per second": measured.per_second,
        "p50 ms": measured.percentile(50) * 1000,
        "p99 ms": measured.percentile(99) * 1000,
        "web CPU ms": web / requests * 1000,
        "database CPU ms": database / requests * 1000,
    }


def busy(process: psutil.Process) -> float:
    """Return the seconds of processor time of a process and its children, also the ended."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if each == process:
            total += times.children_user + times.children_system
    return total


def pss(running: Served) -> list[float]:
    """Return the memory of each worker in MiB, with its share of what they have in common."""
    return [worker.memory_full_info().pss / 2**20 for worker in running.workers()]


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


def statements(server: Server, stock: Stock, running: Served, operation: str) -> dict[str, float]:
    """Count what the server is sent for a request: statements, and what stands around them."""
    told = stock.stories(operation, COUNTED)[0]

    def bounded() -> load.Story:
        answer = yield next(told)
        for _ in range(COUNTED - 1):
            answer = yield told.send(answer)

    with statements_of(server, stock.site.database) as read:
        load.run(running.port, [bounded()])
        sent = read()
    around = sum(1 for each in sent if NO_WORK.match(each))
    return {"statements": (len(sent) - around) / COUNTED, "around them": around / COUNTED}
