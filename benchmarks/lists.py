"""What the lists cost when they are long: the flush, the admin's pages, and bytes on disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from . import load
from .clients import CLIENTS, Stock
from .sites import OURS, PEER, ROOT, Server, Site, environment, run_python, served

OUTSTANDING = "token_blacklist_outstandingtoken"
BLACKLISTED = "token_blacklist_blacklistedtoken"
SERIES = 4  # PostgreSQL reuses an index page only after a second VACUUM

# 80 % expired, over thirty days; 30 % blacklisted.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
# As long as the tokens are that Simple JWT keeps.
TOKEN = "(SELECT left(string_agg(md5((i + n)::text), ''), 260) FROM generate_series(1, 9) n)"
SIGNED_IN = "now() - interval '31 days'"
COLUMNS = {
    OURS: {
        "session_id": "md5(i::text)",
        "generation": "i % 20",
        "created_at": SIGNED_IN,
        "refreshed_at": "now() - interval '2 days'",
        "ip_address": "'192.0.2.1'",
        "user_agent": f"'{AGENT}'",
    },
    PEER: {"jti": "md5(i::text)", "created_at": SIGNED_IN, "token": TOKEN},
}
EXPIRES = "now() + (CASE WHEN i % 10 < 8 THEN -1 ELSE 1 END) * (i % 720 + 1) * interval '1 hour'"
ENDED = {
    OURS: "token_id, blacklisted_at, reason) SELECT id, now(), 'logout'",
    PEER: "token_id, blacklisted_at) SELECT id, now()",
}


def fill(server: Server, site: Site, first: int, last: int) -> None:
    columns = {**COLUMNS[site], "expires_at": EXPIRES}
    user = "accounts_user" if site is OURS else "auth_user"
    server.run(
        site.database,
        f"INSERT INTO {OUTSTANDING} (user_id, {', '.join(columns)})"
        f" SELECT (SELECT min(id) FROM {user}) + i % 200, {', '.join(columns.values())}"
        f" FROM generate_series({first}, {last}) i",
        f"INSERT INTO {BLACKLISTED} ({ENDED[site]} FROM {OUTSTANDING} WHERE id % 10 < 3"
        f" AND created_at < now() - interval '1 day'"
        " ON CONFLICT DO NOTHING",
        f"VACUUM ANALYZE {OUTSTANDING}",
        f"VACUUM ANALYZE {BLACKLISTED}",
    )


def empty(server: Server, site: Site) -> None:
    # Both by name: our blacklist has no constraint that CASCADE could follow.
    server.run(site.database, f"TRUNCATE {OUTSTANDING}, {BLACKLISTED} RESTART IDENTITY")


def admin_page(server: Server, site: Site, path: str) -> float:
    """Return the milliseconds that a page of the admin takes."""
    printed = run_python(site, server, "-m", "benchmarks.page", path)
    return float(printed.split()[-1])  # after what the site logs


def growth(server: Server, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Fill and flush Simple JWT's list of the first length, and this project's of each."""
    rounds = [(PEER, rows[0]), *((OURS, length) for length in rows)]
    return [one_round(server, site, length) for site, length in rounds]


def one_round(server: Server, site: Site, rows: int) -> dict[str, Any]:
    stock = Stock(server, site, 64)
    fill(server, site, 1, rows)
    (jti,) = server.run(site.database, f"SELECT md5('{rows // 2}')")[0]
    admin = "/admin/token_blacklist/outstandingtoken/"
    figures: dict[str, Any] = {
        "site": site.title,
        "rows": rows,
        "list": admin_page(server, site, admin),
        "search": admin_page(server, site, f"{admin}?q={jti}"),
        **flush(server, site, stock),
    }
    empty(server, site)
    print(f"  {json.dumps(figures)}", flush=True)
    return figures


def peak_memory(pid: int) -> float:
    """Return the most that a process has held at once, in MiB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0


def flush(server: Server, site: Site, stock: Stock) -> dict[str, float]:
    """Run the site's own command while clients refresh; return its time, memory and delay."""
    clients = 4
    with served(site, server) as running:

        def refreshes(**until: Any) -> load.Load:
            return load.run(
                running.port,
                [load.refreshing(site.api, next(stock.sessions)) for _ in range(clients)],
                **until,
            )

        idle = refreshes(warm_up=1, seconds=5)
        before = expired(server, site)
        log = server.run(site.database, "SELECT pg_current_wal_lsn()")[0][0]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "flushexpiredtokens"],
            cwd=ROOT,
            env=environment(site, server),
            stdout=subprocess.DEVNULL,
        )
        ended: list[float] = []
        memory = [0.0]

        def wait() -> None:
            # Not what wait4() says: that begins with the memory of this process, of which it is
            # a fork.
            while process.poll() is None:
                memory[0] = peak_memory(process.pid) or memory[0]
                time.sleep(0.05)
            ended.append(time.monotonic() - began)

        thread = threading.Thread(target=wait)
        thread.start()
        meanwhile = refreshes(until=lambda: bool(ended))
        thread.join()
    if process.returncode:
        raise RuntimeError(f"the flush of {site.title} failed")
    deleted = before - expired(server, site)
    logged = server.run(site.database, f"SELECT pg_current_wal_lsn() - '{log}'")[0][0]
    return {
        "seconds": ended[0],
        "MiB": memory[0],
        "deleted": deleted,
        "logged": float(logged) / deleted,
        "p99 idle ms": idle.percentile(99) * 1000,
        "p99 ms": meanwhile.percentile(99) * 1000,
        "longest ms": max(meanwhile.times) * 1000,
    }


def expired(server: Server, site: Site) -> int:
    query = f"SELECT count(*) FROM {OUTSTANDING} WHERE expires_at < now()"
    return int(server.run(site.database, query)[0][0])


def storage(server: Server, *, sessions: int, refreshes: int) -> dict[str, dict[str, Any]]:
    """Return the bytes on disk, indexes included, of a session and of a refresh in each series.

    In a series every session is refreshed so many times; a VACUUM follows.

    The sessions are refreshed in turn and not one after the other: `expires_at` has whole
    seconds, and a row that keeps it from one refresh to the next leaves the indexes alone.
    That saves space in a benchmark and never on a site, where refreshes are minutes apart.
    """
    found: dict[str, dict[str, float]] = {}
    for site in (OURS, PEER):
        with served(site, server) as running:
            empty(server, site)
            autovacuum(server, site, "off")
            sizes = [vacuumed_size(server, site)]
            opened = list(Stock(server, site, sessions).sessions)
            sizes.append(vacuumed_size(server, site))
            shares = [opened[n::CLIENTS] for n in range(CLIENTS)]
            for _ in range(SERIES):
                stories = [load.refreshing_in_turn(site.api, s, refreshes) for s in shares]
                load.run(running.port, stories)
                sizes.append(vacuumed_size(server, site))
        growth = [after - before for before, after in pairwise(sizes)]
        found[site.title] = {
            "sessions": sessions,
            "refreshes": refreshes,
            "of a session": growth[0] / sessions,
            "of a refresh": [each / sessions / refreshes for each in growth[1:]],
        }
        print(f"  {site.title}: {json.dumps(found[site.title])}", flush=True)
        autovacuum(server, site, "on")
        empty(server, site)
    return found


def autovacuum(server: Server, site: Site, on_or_off: str) -> None:
    for table in (OUTSTANDING, BLACKLISTED):
        server.run(site.database, f"ALTER TABLE {table} SET (autovacuum_enabled = {on_or_off})")


def vacuumed_size(server: Server, site: Site) -> int:
    vacuum = (f"VACUUM {OUTSTANDING}", f"VACUUM {BLACKLISTED}")
    size = f"pg_total_relation_size('{OUTSTANDING}') + pg_total_relation_size('{BLACKLISTED}')"
    return int(server.run(site.database, *vacuum, f"SELECT {size}")[0][0])
