"""The tables of docs/performance.md, from what was measured."""

from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.support.tables import fill, table

from .figures import Figure, paired_ratio, ratio
from .sites import GTHREAD, OURS, PEER, ROOT, SYNC, Server

PAGE = ROOT / "docs" / "performance.md"
NOT_TRIED = "not tried"


def machine(server: Server) -> dict[str, str]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    version = server.connection.execute("SHOW server_version").fetchone()[0]
    return {
        "Processor": f"{psutil.cpu_count()} x {model[1] if model else platform.machine()}",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{version}, with its defaults, on the same machine",
        "gunicorn": f"{GTHREAD}, or {SYNC}",
        "Busy with other work before it began": f"load average {psutil.getloadavg()[0]:.1f}",
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def tables(found: dict[str, Any]) -> dict[str, str]:
    """Return each table that there are figures for, by the name of its markers on the page."""
    described = dict(found["machine"])
    made: dict[str, str] = {}
    if "operations" in found:
        made |= _operations(found["operations"])
        first = next(iter(found["operations"].values()))
        described |= {name: first[name] for name in ("Rounds", "Seconds of a turn")}
    one_table = {
        "shares": _shares,
        "servers": _servers,
        "sqlite": _sqlite,
        "lists": _lists,
        "growth": _growth,
        "storage": _storage,
        "services": _services,
        "feed": _feed,
        "race": _race,
    }
    made |= {part: make(found[part]) for part, make in one_table.items() if part in found}
    return {"machine": table(("", ""), described.items()), **made}


def _operations(found: dict[str, Any]) -> dict[str, str]:
    """Return the tables of the set-ups. The first one has all sites, and counted statements."""
    first = next(iter(found.values()))
    memory = ((title, Figure(sizes).text(0)) for title, sizes in first["memory"].items())
    return {
        "rates": _ratios(found, "per second"),
        "cpu": _ratios(found, "CPU ms"),
        "figures": _figures(found),
        "costs": _costs(first["rounds"], first["statements"]),
        "memory": table(("a worker of", "MiB"), memory),
    }


def _figure(rounds: list[dict[str, Any]], name: str) -> Figure:
    return Figure([each[name] for each in rounds])


def _ratios(found: dict[str, Any], name: str) -> str:
    """Return this project's figure divided by that of each other site, in each set-up."""
    rows = []
    for setup, measured in found.items():
        by_operation = measured["rounds"]
        others = dict.fromkeys(title for sites in by_operation.values() for title in sites)
        del others[OURS.title]
        for title in others:
            cells = (
                paired_ratio(_figure(sites[OURS.title], name), _figure(sites[title], name))
                if title in sites
                else "—"
                for sites in by_operation.values()
            )
            rows.append((setup, title, *cells))
    operations = next(iter(found.values()))["rounds"]
    return table(("", "divided by that of", *operations), rows)


def _figures(found: dict[str, Any]) -> str:
    """Return the figures of each site in each set-up."""
    shown = {"per second": 0, "CPU ms": 2, "p50 ms": 1, "p99 ms": 1}
    rows = (
        (
            setup,
            operation,
            title,
            *(_figure(each, name).text(decimals) for name, decimals in shown.items()),
        )
        for setup, measured in found.items()
        for operation, by_site in measured["rounds"].items()
        for title, each in by_site.items()
    )
    return table(("", "operation", "by", *shown), rows)


def _costs(rounds: dict[str, Any], sent: dict[str, Any]) -> str:
    shown = {"web CPU ms": 2, "database CPU ms": 2}
    rows = (
        (
            operation,
            title,
            *(f"{sent[operation][title][name]:.1f}" for name in ("statements", "around them")),
            *(_figure(each, name).text(decimals) for name, decimals in shown.items()),
        )
        for operation, by_site in rounds.items()
        for title, each in by_site.items()
    )
    return table(("operation", "by", "statements", "BEGIN, COMMIT, checks", *shown), rows)


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
    """Return the figures of the lists at each length, and how much they grew to the last one."""
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
        (
            label,
            *(f"{each[name]:,.{decimals}f}" for each in found),
            f"{found[-1][name] / found[0][name]:.1f} times",
        )
        for name, (label, decimals) in shown.items()
    )
    return table(("", *(f"{each['rows']:,} rows" for each in found), "grew"), rows)


def _lists(found: dict[str, Any]) -> str:
    ours, theirs = found[OURS.title], found[PEER.title]
    rows, listed = f"{ours[0]['rows']:,} rows", f"{ours[0]['listed']:,} rows"
    shown = [
        (f"flush of {rows}, s", "seconds", 1),
        ("rows that it deleted", "deleted", 0),
        ("WAL per deleted row, bytes", "logged", 0),
        ("peak memory of the flush, MiB", "MiB", 0),
        ("p99 of refreshes before the flush, ms", "p99 idle ms", 0),
        ("p99 of refreshes during the flush, ms", "p99 ms", 0),
        ("slowest refresh during the flush, ms", "longest ms", 0),
        (f"admin: search by jti at {rows}, ms", "search", 0),
        (f"admin: page that adds a blacklist record at {listed}, ms", "add page, few", 0),
        (f"the same at {rows}, ms", "add page", 0),
    ]
    lines = ((label, *_both(ours, theirs, name, digits)) for label, name, digits in shown)
    return table(("", OURS.title, PEER.title, "ratio"), lines)


def _both(ours: Any, theirs: Any, name: str, decimals: int) -> tuple[str, str, str]:
    """Return the figures of both and their ratio, as far as there are any."""
    figure = _figure(ours, name)
    values = [each.get(name, NOT_TRIED) for each in theirs]
    if NOT_TRIED in values:
        return figure.text(decimals), NOT_TRIED, ""
    if None in values:
        return figure.text(decimals), "given up after 2 minutes", ""
    return figure.text(decimals), Figure(values).text(decimals), ratio(figure, Figure(values))


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


def _race(found: dict[str, Any]) -> str:
    rows = ((title, each["least"], each["most"]) for title, each in found.items())
    return table(("", "fewest successors in a round", "most"), rows)


def write(made: dict[str, str]) -> None:
    """Put each table between its markers on the page."""
    fill(PAGE, made)
