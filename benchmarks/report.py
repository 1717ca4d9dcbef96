"""The tables of docs/performance.md, from what was measured."""

from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.support.tables import fill, table

from .figures import Figure, ratio
from .sites import OURS, PEER, ROOT, SITES, THREADS, WORKERS, Server

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
        "gunicorn": f"{WORKERS} workers with {THREADS} threads",
        "Busy with other work before it began": f"load average {psutil.getloadavg()[0]:.1f}",
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def tables(found: dict[str, Any]) -> dict[str, str]:
    """Return each table that there are figures for, by the name of its markers on the page."""
    described = dict(found["machine"])
    made = {}
    if "operations" in found:
        made |= _operations(found["operations"])
        described |= {name: found["operations"][name] for name in ("Rounds", "Seconds of a turn")}
    if "lists" in found:
        made["lists"] = _lists(found["lists"])
    if "storage" in found:
        made["storage"] = _storage(found["storage"])
    if "race" in found:
        rows = ((title, each["least"], each["most"]) for title, each in found["race"].items())
        made["race"] = table(("", "fewest successors in a round", "most"), rows)
    return {"machine": table(("", ""), described.items()), **made}


def _operations(found: dict[str, Any]) -> dict[str, str]:
    rounds = found["rounds"]
    memory = ((title, Figure(sizes).text(0)) for title, sizes in found["memory"].items())
    return {
        "cpu": _comparison(rounds, "CPU ms", 2),
        "rates": _comparison(rounds, "per second", 0),
        "costs": _costs(rounds, found["statements"]),
        "memory": table(("a worker of", "MiB"), memory),
    }


def _figure(rounds: list[dict[str, Any]], name: str) -> Figure:
    return Figure([each[name] for each in rounds])


def _comparison(rounds: dict[str, Any], name: str, decimals: int) -> str:
    """Return the figures of each site, those of the others with the ratio of ours to them."""
    others = [site.title for site in SITES if site is not OURS]
    rows = []
    for operation, by_site in rounds.items():
        ours = _figure(by_site[OURS.title], name)
        row = [operation, ours.text(decimals)]
        for title in others:
            theirs = _figure(by_site[title], name)
            row += [theirs.text(decimals), ratio(ours, theirs)]
        rows.append(row)
    columns = [cell for title in others for cell in (title, "ratio")]
    return table(("", OURS.title, *columns), rows)


def _costs(rounds: dict[str, Any], sent: dict[str, Any]) -> str:
    shown = {"web CPU ms": 2, "database CPU ms": 2, "p50 ms": 1, "p99 ms": 1}
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


def write(made: dict[str, str]) -> None:
    """Put each table between its markers on the page."""
    fill(PAGE, made)
