"""Try each package, and write the table of docs/comparison.md: `python -m benchmarks.compare`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from benchmarks.sites import ROOT, Server, Site, served
from tests.support.postgres import database_url
from tests.support.tables import fill, table

from .clients import CLIENTS, Client
from .environment import install, locked, prepare
from .facts import FACTS
from .scenario import ROWS, Row, Trial

PAGE = ROOT / "docs" / "comparison.md"


def tried(server: Server, kind: type[Client], site: Site, rows: tuple[Row, ...]) -> dict[str, str]:
    """Run the rows on a database of the site's own; return the cells by title."""
    users = prepare(server, site)
    with served(site, server) as running:
        client = kind(running.port)
        client.site = site
        trial = Trial(client, server, iter(users))
        found = {}
        for row in rows:
            found[row.title] = row.run(trial)
            print(f"  {site.title}: {row.title}: {found[row.title]}", flush=True)
    return found


def column(server: Server, kind: type[Client]) -> dict[str, str]:
    """Return a package's cells; each says what its option changes."""
    found = tried(server, kind, kind.site, ROWS)
    if kind.option:
        rows = tuple(row for row in ROWS if row.by_option)
        for title, cell in tried(server, kind, kind.option, rows).items():
            if cell != found[title]:
                found[title] += f" ({cell} with option)"
    return found


def versions() -> str:
    """Return the versions and the date as a line of text."""
    known = locked()
    names = (*(kind.package for kind in CLIENTS if kind.package), "django")
    listed = ", ".join(f"{name} {known[name]}" for name in names)
    return f"Run on {datetime.now(UTC):%Y-%m-%d} with {listed}."


def main() -> None:
    chosen = [kind for kind in CLIENTS if not sys.argv[1:] or kind.__name__ in sys.argv[1:]]
    install()
    with database_url(durable=False) as url:
        server = Server(url)
        columns = {kind.title: column(server, kind) for kind in chosen}
        server.connection.close()
    heads = ["", *columns]
    rows = [[row.title, *(each[row.title] for each in columns.values())] for row in ROWS]
    trials = table(heads, rows)
    print("\n" + trials)
    if chosen == list(CLIENTS):
        facts = [[title, *cells] for title, cells in FACTS.items()]
        made = {"versions": versions(), "trials": trials, "facts": table(heads, facts)}
        fill(PAGE, made)


if __name__ == "__main__":
    main()
