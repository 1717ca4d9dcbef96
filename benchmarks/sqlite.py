"""SQLite in production: processes and threads, the price of durability, the log that is written."""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import load
from .clients import Stock
from .sites import OURS, Files, Gunicorn, create_database, served

FIGURES: dict[str, Callable[[load.Load], float]] = {
    "per second": lambda run: run.per_second,
    "p99 ms": lambda run: run.percentile(99) * 1000,
    "longest ms": lambda run: max(run.times) * 1000,
}
CLIENTS = 32  # so many that one process rarely gets all of the connections
SERVERS = (Gunicorn(workers=1), Gunicorn(workers=1, threads=8), Gunicorn(), Gunicorn(workers=4))


class NotDurable(Files):
    """Commits do not wait for the disk, so a power failure may undo the last sign-outs."""

    title = "SQLite, synchronous=NORMAL"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.variables = {"BENCHMARK_SYNCHRONOUS": "NORMAL"}


def measure(*, rounds: int, seconds: float = 3) -> list[dict[str, Any]]:
    """Return the figures of refreshes, which write, and of requests, which read."""
    found = []
    for kind in (Files, NotDurable):
        for how in SERVERS:
            with tempfile.TemporaryDirectory() as folder:
                database = kind(folder)
                create_database(OURS, database)
                stock = Stock(database, OURS, rounds * 200)
                log = Path(folder) / "ours.sqlite3-wal"
                with served(OURS, database, how) as running, largest(log) as size:
                    row: dict[str, Any] = {"database": kind.title, "server": str(how)}
                    port = running.port
                    for operation in ("refresh", "authenticated request"):
                        runs = [
                            load.run(
                                port,
                                stock.stories(operation, clients=CLIENTS),
                                warm_up=0.5,
                                seconds=seconds,
                            )
                            for _ in range(rounds)
                        ]
                        row |= {
                            f"{operation}, {name}": statistics.median(map(of, runs))
                            for name, of in FIGURES.items()
                        }
                row["log, MiB"] = max(size) / 2**20
            print(f"  {row}", flush=True)
            found.append(row)
    return found


@contextmanager
def largest(file: Path) -> Iterator[list[int]]:
    """Yield a list of the sizes that a file has in the meantime, in bytes."""
    sizes, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            if file.exists():
                sizes.append(file.stat().st_size)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()
