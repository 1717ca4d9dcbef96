"""The four operations: short turns that alternate between the sites, of one client at a time.

One client, because two requests at once wait for each other, and by chance more often at one site
than at another. Turns of some 40 requests, because a machine changes its speed from second to
second, and the turns of one round are close together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from . import load
from .compare.environment import prepare
from .sites import Gunicorn, Served, Server, Site, served

OPERATIONS = ("authenticated request", "refresh", "sign-out", "sign-in")
HOW = Gunicorn(workers=1)
WARM_UP = 5  # requests of a turn that do not count
FIRST = 60  # requests of each operation before the first turn: each thread prepares its statements


class Visitor:
    """The one client of a site."""

    def __init__(self, server: Server, site: Site, users: list[str], running: Served) -> None:
        self.server, self.site, self.running = server, site, running
        self.users = cycle(users)

    def send(self, story: load.Story, status: int = 200) -> Iterator[float]:
        return load.one_after_another(self.running.port, story, status)

    def opened(self, count: int) -> list[dict[str, str]]:
        """Sign in so often; return the tokens."""
        found: list[dict[str, str]] = []
        for _ in self.send(load.opening(self.site.api, islice(self.users, count), found)):
            pass
        return found

    def story(self, operation: str, requests: int) -> load.Story:
        api = self.site.api
        match operation:
            case "refresh":
                return load.refreshing(api, *self.opened(1))
            case "sign-out":
                return load.signing_out(api, self.opened(requests))
            case "sign-in":
                return load.signing_in(api, self.users)
            case _:
                return load.asking(api, *self.opened(1))

    def turn(self, operation: str, warm_up: int, requests: int) -> dict[str, float]:
        """Send an operation so often; return milliseconds per request."""
        story = self.story(operation, warm_up + requests)
        answers = self.send(story, self.site.api.status_of(operation))
        for _ in islice(answers, warm_up):
            pass
        before = self.spent()
        wall = sum(islice(answers, requests))
        web, database = (after - began for after, began in zip(self.spent(), before, strict=True))
        answers.close()
        found = {"CPU ms": web + database, "database CPU ms": database, "wall ms": wall}
        return {name: seconds / requests * 1000 for name, seconds in found.items()}

    def spent(self) -> tuple[float, float]:
        """Return the seconds of processor time of gunicorn and of the database."""
        database = sum(busy(each.pid) for each in self.server.processes())
        return busy(self.running.process.pid), database


def measure(server: Server, sites: Sequence[Site], *, rounds: int, requests: int) -> dict[str, Any]:
    """Return the figures of each turn by operation and site, and the memory of each site."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {
        operation: {site.title: [] for site in sites if operation in site.api.operations}
        for operation in OPERATIONS
    }
    with ExitStack() as stack:
        visitors = []
        for site in sites:
            users = prepare(server, site)
            running = stack.enter_context(served(site, server, HOW))
            visitors.append(Visitor(server, site, users, running))
        for number in range(-1, rounds):
            for operation in OPERATIONS:
                for visitor in visitors if number % 2 == 0 else visitors[::-1]:
                    if operation not in visitor.site.api.operations:
                        continue
                    if number < 0:
                        visitor.turn(operation, 0, FIRST)
                    else:
                        figures = visitor.turn(operation, WARM_UP, requests)
                        found[operation][visitor.site.title].append(figures)
            print(f"  round {number + 1} of {rounds}", end="\r", flush=True)
        memory = {each.site.title: pss(each.running) for each in visitors}
    return {"memory": memory, "rounds": found}


def busy(pid: int) -> float:
    """Return the seconds of processor time of a process and its children; 0 if it has ended."""
    try:
        # The clock of a process, as clock_getcpuclockid(3) has it: /proc counts hundredths only.
        own = time.clock_gettime((~pid << 3) | 2)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return own + sum(busy(int(each)) for each in children)


def pss(running: Served) -> float:
    """Return the memory of the worker in MiB, with its share of what it has in common."""
    (worker,) = running.workers()
    return float(worker.memory_full_info().pss / 2**20)
