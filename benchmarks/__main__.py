"""Measure, and write what was found into docs/performance.md: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tests.postgres import database_url

from . import operations
from .sites import OURS, PEER, Server, run_python


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter; writes no file")
    quick = parser.parse_args().quick
    found: dict[str, Any] = {}
    with database_url() as url:
        server = Server(url)
        for site in (OURS, PEER):
            server.create(site.database)
            run_python(site, server, "-m", "django", "migrate", "-v0")
        found["operations"] = operations.measure(
            server, rounds=3, warm_up=0.5 if quick else 1, seconds=1 if quick else 4
        )
        server.connection.close()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
