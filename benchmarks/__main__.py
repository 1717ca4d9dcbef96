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


def measure(server: Server, part: str, quick: bool) -> Any:
    match part:
        case "operations":
            how = {"warm_up": 0.3, "seconds": 0.8} if quick else {"warm_up": 1, "seconds": 4}
            return operations.measure(server, rounds=3, **how)
        case "lists":
            return lists.measure(server, rows=50_000 if quick else 1_000_000)
        case "storage":
            few, many = {1: 50, 20: 50}, {1: 200, 100: 200, 1000: 20}
            return lists.storage(server, sessions=few if quick else many)
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
