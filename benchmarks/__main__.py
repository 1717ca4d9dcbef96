"""Measure, and write what was found into docs/performance.md: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import json
import tempfile
from typing import Any

from tests.support.postgres import database_url

from . import lists, operations, race, report, servers, services, sqlite
from .compare.environment import install
from .peers import PEERS
from .sites import (
    AGAIN,
    BARE,
    GTHREAD,
    OURS,
    PEER,
    ROOT,
    SYNC,
    VIEW,
    Files,
    Gunicorn,
    Server,
    Site,
    create_database,
    pooled,
    run_python,
    stock,
)

PARTS = (
    *("operations", "shares", "servers", "sqlite", "lists", "growth", "storage"),
    *("services", "feed", "race"),
)
ENDED = (3_000, 300_000)  # sessions within five minutes: 10 and 1,000 a second
GROWTH = (1_000_000, 10_000_000)  # rows
FOUND = ROOT / "build" / "benchmark.json"
FULL = {"rounds": 7, "warm_up": 0.3, "seconds": 1.5}
QUICK = {"rounds": 3, "warm_up": 0.3, "seconds": 0.8}


def measure_operations(server: Server, quick: bool) -> dict[str, Any]:
    """Return the figures of each set-up: a database and gunicorn's worker class."""
    how = QUICK if quick else FULL
    both = [OURS, PEER]
    found = {}

    def measure(database: Server, server: Gunicorn, sites: list[Site], **options: Any) -> None:
        name = f"{database.title}, {server.worker}"
        print(name, flush=True)
        found[name] = operations.measure(database, sites, how=server, **how, **options)

    if not quick:
        install()
    others = [] if quick else [AGAIN, *PEERS]
    measure(server, GTHREAD, [*both, *others, VIEW, BARE], counts=True)
    if not quick:
        measure(server, SYNC, [*both, VIEW, BARE])
    with tempfile.TemporaryDirectory() as folder:
        files = Files(folder)
        for site in both:
            create_database(site, files)
        for worker in (GTHREAD,) if quick else (GTHREAD, SYNC):
            measure(files, worker, both)
    with tempfile.TemporaryDirectory() as folder, pooled(server, folder) as pooler:
        if pooler and not quick:
            measure(pooler, GTHREAD, both)
    return found


def measure_shares() -> Any:
    """Return the share of each package in the processor time of each operation."""
    with tempfile.TemporaryDirectory() as folder:
        files = Files(folder)
        create_database(OURS, files)
        made = json.dumps(stock(OURS, files, 2000))
        printed = run_python(OURS, files, "-m", "benchmarks.shares", given=made)
        return json.loads(printed.splitlines()[-1])


def measure(server: Server, part: str, quick: bool) -> Any:
    match part:
        case "operations":
            return measure_operations(server, quick)
        case "shares":
            return measure_shares()
        case "servers":
            return servers.measure(server, rounds=1 if quick else 3)
        case "sqlite":
            return sqlite.measure(rounds=1 if quick else 3)
        case "growth":
            return [lists.one_round(server, OURS, n) for n in GROWTH[: 1 if quick else None]]
        case "lists":
            rows, rounds = (50_000, 1) if quick else (1_000_000, 3)
            return lists.measure(server, rows=rows, rounds=rounds)
        case "services":
            return services.measure(server, rounds=1 if quick else 5)
        case "feed":
            return services.feed_costs(server, ENDED[: 1 if quick else None])
        case "storage":
            return lists.storage(
                server, sessions=200 if quick else 2000, refreshes=1 if quick else 3
            )
        case _:
            return race.measure(server, rounds=5 if quick else 20)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter; prints and writes no file")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all of them")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    found: dict[str, Any] = {}
    with database_url() as url:
        server = Server(url)
        found["machine"] = report.machine(server)
        for site in (OURS, PEER):
            create_database(site, server)
        for part in options.parts or PARTS:
            print(part, flush=True)
            found[part] = measure(server, part, options.quick)
            tables = report.tables(found)
            if not options.quick:
                FOUND.parent.mkdir(exist_ok=True)
                FOUND.write_text(json.dumps(found, indent=1))
                report.write(tables)
        server.connection.close()
    print("\n" + "\n\n".join(tables.values()))


if __name__ == "__main__":
    main()
