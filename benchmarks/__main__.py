"""Measure, and write what was found into docs/performance.md: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.postgres import database_url

from . import lists, operations, report, servers, services, sqlite
from .compare.environment import install
from .peers import PEERS
from .sites import AGAIN, ALONE, OURS, PEER, ROOT, Files, Server, create_database, run_python, stock

ON_THE_PAGE = ("operations", "growth")
PRINTED = ("shares", "servers", "sqlite", "storage", "services", "feed")
ENDED = (3_000, 300_000)  # sessions within five minutes: 10 and 1,000 a second
GROWTH = (1_000_000, 10_000_000)  # rows
FOUND = ROOT / "build" / "benchmark.json"


@contextmanager
def files() -> Iterator[Files]:
    with tempfile.TemporaryDirectory() as folder:
        yield Files(folder)


def measure_operations(server: Server, quick: bool) -> dict[str, Any]:
    """Return the figures on each database."""
    if quick:
        sites, how = [PEER, OURS, ALONE], {"rounds": 16, "requests": 20}
    else:
        install()
        sites, how = [PEER, OURS, AGAIN, ALONE, *PEERS], {"rounds": 30, "requests": 40}
    found = {}
    with files() as sqlite_files:
        for database in (server, sqlite_files):
            print(database.title, flush=True)
            found[database.title] = operations.measure(database, sites, **how)
    return found


def measure_shares() -> Any:
    """Return the share of each package in the processor time of each operation."""
    with files() as database:
        create_database(OURS, database)
        made = json.dumps(stock(OURS, database, 2000))
        printed = run_python(OURS, database, "-m", "benchmarks.shares", given=made)
        return json.loads(printed.splitlines()[-1])


def measure(server: Server, part: str, quick: bool) -> Any:
    match part:
        case "operations":
            return measure_operations(server, quick)
        case "growth":
            return lists.growth(server, (20_000,) if quick else GROWTH)
        case "shares":
            return measure_shares()
        case "servers":
            return servers.measure(server, rounds=1 if quick else 3)
        case "sqlite":
            return sqlite.measure(rounds=1 if quick else 3)
        case "services":
            return services.measure(server, rounds=1 if quick else 5)
        case "feed":
            return services.feed_costs(server, ENDED[: 1 if quick else None])
        case _:
            sessions, refreshes = (200, 1) if quick else (2000, 3)
            return lists.storage(server, sessions=sessions, refreshes=refreshes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter; prints and writes no file")
    known = (*ON_THE_PAGE, *PRINTED)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(known)}; else the first two")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(known):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(known)}")
    found: dict[str, Any] = {}
    with database_url() as url:
        server = Server(url)
        found["machine"] = report.machine(server)
        for site in (OURS, PEER):
            create_database(site, server)
        for part in options.parts or ON_THE_PAGE:
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
