"""The four operations, measured in rounds that alternate between the sites."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import psutil

from . import apis, load
from .compare.environment import prepare
from .peers import PEERS
from .sites import Gunicorn, Served, Server, Site, served, stock
from .stock import USERS

CLIENTS = 8
OPERATIONS = ("refresh", "sign-out", "authenticated request", "sign-in")
COUNTED = 20  # requests whose statements are counted
FASTEST = 2500  # sign-outs a second that there are sessions for; where they run out, a round ends
OF_A_PEER = 300  # sessions that are opened by HTTP for the sign-outs of a turn
NO_WORK = re.compile(r"BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET |$", re.IGNORECASE)


class Stock:
    """The sessions of a site that no operation has used yet."""

    def __init__(self, server: Server, site: Site, sessions: int) -> None:
        self.site = site
        if site in PEERS:
            self.users = prepare(server, PEERS[site], site, USERS)
            self.sessions: Iterator[apis.Session] = iter(())
        else:
            made = stock(site, server, sessions)
            self.users = made["users"]
            self.sessions = (each if site.signs else each["bare"] for each in made["sessions"])

    def refill(self, port: int, operation: str) -> None:
        """Open the sessions that a turn of a peer needs, by HTTP."""
        if self.site in PEERS:
            opened: list[apis.Session] = []
            needed = OF_A_PEER if operation == "sign-out" else CLIENTS
            shared = islice(cycle(self.users), needed)
            load.run(port, [load.opening(self.site.api, shared, opened) for _ in range(CLIENTS)])
            self.sessions = iter(opened)

    def stories(
        self, operation: str, most: int | None = None, clients: int = CLIENTS
    ) -> list[load.Story]:
        """Return what each of the clients does."""
        each, api = range(clients), self.site.api
        match operation:
            case "refresh":
                return [load.refreshing(api, next(self.sessions)) for _ in each]
            case "sign-out":
                sessions = islice(self.sessions, most)
                return [load.signing_out(api, sessions) for _ in each]
            case "sign-in":
                return [load.signing_in(api, self.users[n::clients]) for n in each]
            case _:
                return [load.asking(api, next(self.sessions)) for _ in each]


@dataclass
class Turns:
    """The sites of a run, served, with what their clients need."""

    server: Server
    stocks: dict[Site, Stock]
    running: dict[Site, Served]
    signed_out: int  # sessions, at most, in a turn

    def take(self, site: Site, operation: str, warm_up: float, seconds: float) -> dict[str, float]:
        """Let the clients send one operation to one site for so long; return the figures."""
        served = self.running[site]
        self.stocks[site].refill(served.port, operation)
        before: list[float] = []

        def cpu() -> list[float]:
            return [busy(served.process), sum(map(busy, self.server.processes()))]

        measured = load.run(
            served.port,
            self.stocks[site].stories(operation, self.signed_out),
            status=site.api.status_of(operation),
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


def measure(
    server: Server,
    sites: Sequence[Site],
    *,
    how: Gunicorn,
    rounds: int,
    warm_up: float,
    seconds: float,
    counts: bool = False,
) -> dict[str, Any]:
    """Return the figures of each round by operation and site, and what was measured once."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {
        operation: {site.title: [] for site in sites if operation in site.api.operations}
        for operation in OPERATIONS
    }
    signed_out = int(FASTEST * (warm_up + seconds))
    needed = rounds * (signed_out + 4 * CLIENTS) + 20 * CLIENTS + 1000
    with ExitStack() as stack:
        turns = Turns(
            server,
            {site: Stock(server, site, needed) for site in sites},
            {site: stack.enter_context(served(site, server, how)) for site in sites},
            signed_out,
        )
        for site in sites:  # what is loaded by the first requests
            for operation in site.api.operations:
                turns.take(site, operation, 0, 1)
        for number in range(rounds):
            for operation in OPERATIONS:
                for site in sites if number % 2 == 0 else sites[::-1]:
                    if operation not in site.api.operations:
                        continue
                    figures = turns.take(site, operation, warm_up, seconds)
                    found[operation][site.title].append(figures)
                    print(f"  {number + 1} {operation:22} {site.title:30}", end="")
                    print(f"{figures['CPU ms']:8.2f} ms{figures['per second']:8.0f}/s", flush=True)
        memory = {site.title: pss(turns.running[site]) for site in sites}
        counted = {
            operation: {title: statements(turns, site, operation) for title, site in known.items()}
            for operation in (OPERATIONS if counts else ())
            if (known := {site.title: site for site in sites if operation in site.api.operations})
        }
    return {
        "memory": memory,
        "statements": counted,
        "rounds": found,
        "Rounds": rounds,
        "Seconds of a turn": seconds,
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


def statements(turns: Turns, site: Site, operation: str) -> dict[str, float]:
    """Count what the server is sent for a request: statements, and what stands around them."""
    stock, running = turns.stocks[site], turns.running[site]
    stock.refill(running.port, operation)
    told = stock.stories(operation, COUNTED)[0]

    def bounded() -> load.Story:
        answer = yield next(told)
        for _ in range(COUNTED - 1):
            answer = yield told.send(answer)

    with statements_of(turns.server, site.database) as read:
        load.run(running.port, [bounded()], status=site.api.status_of(operation))
        sent = read()
    around = sum(1 for each in sent if NO_WORK.match(each))
    return {"statements": (len(sent) - around) / COUNTED, "around them": around / COUNTED}
