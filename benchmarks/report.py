"""The tables of a run, and those of docs/performance.md."""

from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.support.tables import fill, table

from .figures import Figure, paired
from .operations import OPERATIONS
from .sites import OURS, PEER, ROOT, Server

PAGE = ROOT / "docs" / "performance.md"
ON_THE_PAGE = ("machine", "cpu", "memory", "growth")  # the others are printed


def machine(server: Server) -> dict[str, str]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    version = server.connection.execute("SHOW server_version").fetchone()[0]
    return {
        "Processor": f"{psutil.cpu_count()} x {model[1] if model else platform.machine()}",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{version}, with its defaults, on the same machine",
        "Other work when it began": f"load average {psutil.getloadavg()[0]:.1f}",
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def tables(found: dict[str, Any]) -> dict[str, str]:
    """Return the machine, and each table that there are figures for, by its name."""
    made = {"machine": "; ".join(map(": ".join, found["machine"].items())) + "."}
    if "operations" in found:
        made |= _operations(found["operations"])
    one_table = {
        "growth": _growth,
        "shares": _shares,
        "servers": _servers,
        "sqlite": _sqlite,
        "storage": _storage,
        "services": _services,
        "feed": _feed,
    }
    return made | {part: make(found[part]) for part, make in one_table.items() if part in found}


def _operations(found: dict[str, Any]) -> dict[str, str]:
    """Return the tables of the four operations, on each database."""
    sizes: dict[str, dict[str, float]] = {name: each["memory"] for name, each in found.items()}
    titles = next(iter(sizes.values()))
    memory = ((f"on {name}", *(f"{each[t]:.0f}" for t in titles)) for name, each in sizes.items())
    return {
        "cpu": _beside_the_peer(found, "CPU ms"),
        "wall": _beside_the_peer(found, "wall ms"),
        "memory": table(("MiB", *titles), memory),
        "figures": _figures(found),
    }


def _beside_the_peer(found: dict[str, Any], name: str) -> str:
    """Return the figure of Simple JWT, and how many times that of each other site it is."""
    rows = []
    for database, measured in found.items():
        by_operation = [measured["rounds"][operation] for operation in OPERATIONS]
        for title in dict.fromkeys(title for sites in by_operation for title in sites):
            cells = (_cell(sites, title, name) for sites in by_operation)
            rows.append((database, title, *cells))
    return table(("", "", *OPERATIONS), rows)


def _cell(sites: dict[str, Any], title: str, name: str) -> str:
    if title not in sites:
        return "—"
    theirs, own = ([each[name] for each in sites[site]] for site in (PEER.title, title))
    return f"{Figure(own).median:.2f} ms" if title == PEER.title else paired(theirs, own)


def _figures(found: dict[str, Any]) -> str:
    """Return the milliseconds of each site on each database."""
    names = ("CPU ms", "database CPU ms", "wall ms")
    rows = (
        (
            database,
            operation,
            title,
            *(f"{Figure([each[name] for each in turns]).median:.3f}" for name in names),
        )
        for database, measured in found.items()
        for operation, sites in measured["rounds"].items()
        for title, turns in sites.items()
    )
    return table(("", "operation", "by", *names), rows)


def _shares(found: dict[str, dict[str, float]]) -> str:
    """Return the share of each package in the processor time of each operation."""
    packages = next(iter(found.values()))
    rows = ((name, *(f"{each[name]:.0%}" for each in found.values())) for name in packages)
    return table(("", *found), rows)


def _servers(found: list[dict[str, Any]]) -> str:
    """Return requests a second and p99 of each server, for each number of clients."""
    measured = [name for name in found[0] if name not in {"server", "processors"}]
    rows = (
        (
            each["processors"],
            each["server"],
            *(f"{each[name]['per second']:,.0f} ({each[name]['p99 ms']:.0f})" for name in measured),
        )
        for each in found
    )
    return table(("processors", "workers", *measured), rows)


def _sqlite(found: list[dict[str, Any]]) -> str:
    """Return the figures of each server on SQLite, the names of the figures as heads."""
    names = list(found[0])
    rows = (
        (value if isinstance(value, str) else f"{value:,.0f}" for value in each.values())
        for each in found
    )
    return table(names, rows)


def _growth(found: list[dict[str, Any]]) -> str:
    """Return what each list took: Simple JWT's and this project's, at each length."""
    shown = {
        "seconds": ("flush, s", 1),
        "deleted": ("rows that it deleted", 0),
        "logged": ("WAL per deleted row, bytes", 0),
        "MiB": ("peak memory of the flush, MiB", 0),
        "p99 idle ms": ("p99 of refreshes before the flush, ms", 0),
        "p99 ms": ("p99 of refreshes during the flush, ms", 0),
        "longest ms": ("slowest refresh during the flush, ms", 0),
        "list": ("admin: list of outstanding tokens, ms", 0),
        "search": ("admin: search by jti, ms", 0),
    }
    rows = (
        (label, *(f"{each[name]:,.{decimals}f}" for each in found))
        for name, (label, decimals) in shown.items()
    )
    return table(("", *(f"{each['site']}, {each['rows']:,} rows" for each in found)), rows)


def _storage(found: dict[str, Any]) -> str:
    both = ours, _ = found[OURS.title], found[PEER.title]
    rows = [("a new session", *(f"{each['of a session']:,.0f}" for each in both))]
    for number, sizes in enumerate(zip(*(each["of a refresh"] for each in both), strict=True), 1):
        label = f"a refresh of series {number}"
        rows.append((label, *(f"{round(size):,}" for size in sizes)))
    described = f"bytes; {ours['sessions']:,} sessions, {ours['refreshes']} refreshes each a series"
    return table((described, OURS.title, PEER.title), rows)


def _services(found: dict[str, list[dict[str, float]]]) -> str:
    first, second = (
        {name: [each[name] for each in rounds] for name in rounds[0]} for rounds in found.values()
    )
    rows = [
        (name, Figure(first[name]).text(decimals), Figure(second[name]).text(decimals))
        for name, decimals in (("per second", 0), ("p50 ms", 1), ("p99 ms", 1))
    ]
    return table(("", *found), rows)


def _feed(found: list[dict[str, float]]) -> str:
    rows = [
        (
            f"{each['ended']:,}",
            f"{each['ended'] / 300:,.0f}",
            f"{each['whole ms']:.1f}",
            f"{each['new ms']:.1f}",
        )
        for each in found
    ]
    heads = ("ended in five minutes", "a second", "the whole window, ms", "nothing new, ms")
    return table(heads, rows)


def write(made: dict[str, str]) -> None:
    """Put the tables of the page between their markers."""
    fill(PAGE, {name: text for name, text in made.items() if name in ON_THE_PAGE})
