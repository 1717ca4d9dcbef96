"""The tables of docs/performance.md, from what was measured."""

from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from .sites import BARE, OURS, PEER, ROOT, SITES, THREADS, WORKERS, Server

NOTE = ROOT / "docs" / "performance.md"

# What was set out for: at least, times Simple JWT and times the bare WSGI function.
TARGETS = {
    "refresh": (3.5, 0.5),
    "sign-out": (2, 0.45),
    "authenticated request": (1.2, 0.5),
    "sign-in": (1.2, 0.45),
}


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
    """Return each table that there are figures for, by the name of its place in the note."""
    made = {"machine": _table(("", ""), found["machine"].items())}
    if "operations" in found:
        made |= _operations(found["operations"])
    if "lists" in found:
        made["lists"] = _lists(found["lists"])
    if "storage" in found:
        ours, theirs = found["storage"][OURS.title], found["storage"][PEER.title]
        rows = (
            (n, f"{ours[n]:,.0f}", f"{theirs[n]:,.0f}", f"1/{theirs[n] / max(ours[n], 1):.0f}")
            for n in ours
        )
        made["storage"] = _table(("refreshes", OURS.title, PEER.title, "ratio"), rows)
    if "race" in found:
        rows = ((title, each["least"], each["most"]) for title, each in found["race"].items())
        made["race"] = _table(("", "fewest successors in a round", "most"), rows)
    return made


def _operations(found: dict[str, Any]) -> dict[str, str]:
    ratios, rates, costs = [], [], []
    for operation, each in found["operations"].items():
        sites, (peer, bare) = each["sites"], TARGETS[operation]
        ratios.append(
            (
                operation,
                f"{each['to peer']:.2f} x",
                f"{peer} x",
                _verdict(each["to peer"] >= peer),
                f"{each['to bare']:.2f}",
                bare,
                _verdict(each["to bare"] >= bare),
                f"{each['cost to peer']:.2f}",
                f"{each['cost to bare']:.2f}",
            )
        )
        rates.append((operation, *(f"{sites[s.title]['per second']:,.0f}" for s in SITES)))
        for site in SITES:
            figures, sent = sites[site.title], found["statements"][operation][site.title]
            costs.append(
                (
                    operation,
                    site.title,
                    f"{sent['statements']:.1f}",
                    f"{sent['around them']:.1f}",
                    *(f"{figures[name]:.2f}" for name in ("web CPU ms", "database CPU ms")),
                    *(f"{figures[name]:.1f}" for name in ("p50 ms", "p99 ms")),
                )
            )
    columns = ("", f"to {PEER.title}", "aim", "", f"to {BARE.title}", "aim", "")
    columns += (f"CPU to {PEER.title}", f"CPU to {BARE.title}")
    names = ("operation", "by", "statements", "BEGIN, COMMIT, checks")
    names += ("web CPU ms", "database CPU ms", "p50 ms", "p99 ms")
    memory = ((title, f"{size:.0f} MiB") for title, size in found["memory"].items())
    return {
        "ratios": _table(columns, ratios),
        "rates": _table(("requests a second", *(s.title for s in SITES)), rates),
        "costs": _table(names, costs),
        "memory": _table(("a worker of", "proportional set size"), memory),
    }


def _lists(found: dict[str, Any]) -> str:
    ours, theirs = found[OURS.title], found[PEER.title]
    flushes = [each["flush"] for each in (ours, theirs)]
    rows = [
        (f"flush of {ours['rows']:,} rows, s", *(f"{f['seconds']:.1f}" for f in flushes)),
        ("deleted by it", *(f"{f['deleted']:,}" for f in flushes)),
        ("its peak memory, MiB", *(f"{f['MiB']:.0f}" for f in flushes)),
        ("log that PostgreSQL wrote for each, bytes", *(f"{f['logged']:,.0f}" for f in flushes)),
        ("p99 of refreshes before it, ms", *(f"{f['p99 idle ms']:.0f}" for f in flushes)),
        ("p99 of refreshes meanwhile, ms", *(f"{f['p99 ms']:.0f}" for f in flushes)),
        ("the longest of them, ms", *(f"{f['longest ms']:.0f}" for f in flushes)),
        (f"admin: search by jti at {ours['rows']:,} rows, ms", *_pages(ours, theirs, "search")),
        (
            f"admin: page that adds a blacklist record at {ours['listed']:,} rows, ms",
            *_pages(ours, theirs, "add page, few"),
        ),
        (f"the same at {ours['rows']:,} rows, ms", _page(ours["add page"]), "not tried"),
    ]
    return _table(("", OURS.title, PEER.title), rows)


def _pages(*both_and_name: Any) -> tuple[str, ...]:
    *both, name = both_and_name
    return tuple(_page(each[name]) for each in both)


def _page(milliseconds: float | None) -> str:
    return "given up after 2 minutes" if milliseconds is None else f"{milliseconds:,.0f}"


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def _table(names: Any, rows: Any) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def write(made: dict[str, str]) -> None:
    """Put each table between its markers in the note."""
    text = NOTE.read_text()
    for name, table in made.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, places = re.subn(pattern, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text, flags=re.S)
        if places != 1:
            raise ValueError(f"{NOTE} has {places} places for {name}")
    NOTE.write_text(text)
