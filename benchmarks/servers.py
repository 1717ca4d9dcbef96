"""Gunicorn's worker classes, numbers of threads and processes, for few and for many clients."""

from __future__ import annotations

import statistics
from typing import Any

import psutil

from . import load
from .clients import Stock
from .sites import OURS, Gunicorn, Server, served

CLIENTS = (8, 64, 256)
MEASURED = ("authenticated request", "refresh")


def candidates() -> list[Gunicorn]:
    """Return what is compared on one processor, and on all of this machine."""
    found = []
    for processors in sorted({1, psutil.cpu_count() or 1}):
        least = max(2, processors)
        found += [
            Gunicorn("sync", least, 1, processors),
            Gunicorn("sync", 2 * least, 1, processors),
            *(Gunicorn("gthread", least, threads, processors) for threads in (1, 2, 4, 8)),
            Gunicorn("gthread", 2 * least, 4, processors),
        ]
    return found


def measure(server: Server, *, rounds: int, seconds: float = 1) -> list[dict[str, Any]]:
    """Return requests a second and latency of each candidate, for each number of clients."""
    stock = Stock(server, OURS, rounds * len(candidates()) * len(CLIENTS) * 2 * max(CLIENTS) + 999)
    found = []
    for how in candidates():
        row: dict[str, Any] = {"server": str(how), "processors": how.processors}
        with served(OURS, server, how) as running:
            # What is loaded by the first requests takes seconds on one processor.
            load.run(running.port, stock.stories(MEASURED[0]), seconds=3)
            for clients in CLIENTS:
                for operation in MEASURED:
                    runs = []
                    for _ in range(rounds):
                        stories = stock.stories(operation, clients=clients)
                        runs.append(load.run(running.port, stories, warm_up=0.3, seconds=seconds))
                    row[f"{operation}, {clients} clients"] = {
                        "per second": statistics.median(run.per_second for run in runs),
                        "p99 ms": statistics.median(run.percentile(99) for run in runs) * 1000,
                    }
        print(f"  {row}", flush=True)
        found.append(row)
    return found
