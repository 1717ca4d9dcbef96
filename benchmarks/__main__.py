"""Measure, and write what was found into docs/performance.md: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tests.support.postgres import database_url

from . import lists, operations, race, report
from .sites import OURS, PEER, ROOT, Server, run_python

PARTS = ("operations", "lists", "storage", "race")
FOUND = ROOT / "build" / "benchmark.json"
FULL = {"rounds": 7, "warm_up": 0.5, "seconds": 3}


def measure(server: Server, part: str, quick: bool) -> Any:
    match part:
        case "operations":
            how = {"rounds": 3, "warm_up": 0.3, "seconds": 0.8} if quick else FULL
            return operations.measure(server, **how)
        case "lists":
            rows, rounds = (50_000, 1) if quick else (1_000_000, 3)
            return lists.measure(server, rows=rows, rounds=rounds)
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
            server.create(site.database)
            run_python(site, server, "-m", "django", "migrate", "-v0")
        for part in options.parts or PARTS:
            print(part, flush=True)
            found[part] = measure(server, part, options.quick)
        server.connection.close()
    tables = report.tables(found)
    print("\n" + "\n\n".join(tables.values()))
    if not options.quick:
        FOUND.parent.mkdir(exist_ok=True)
        FOUND.write_text(json.dumps(found, indent=1))
        report.write(tables)


if __name__ == "__main__":
    main()
