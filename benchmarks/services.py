"""A second service that verifies tokens itself, beside one that asks for each of its requests."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from . import lists, load
from .sites import OURS, Server, Site, run_python, served, stock

CLIENTS = 8
SECRET = "only-for-the-benchmark"
SERVICE = "examples.second_service.django_app"
FEED = Site("verifies, and reads the feed", "none", "none", application=SERVICE)
ASKS = replace(FEED, title="introspects each token", application="benchmarks.asking")


def asking(access: str) -> load.Story:
    while True:
        yield load.request("GET", "/invoices/", access=access)


def measure(server: Server, *, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Return the figures of each round, by service. They take turns."""
    found: dict[str, list[dict[str, float]]] = {FEED.title: [], ASKS.title: []}
    before = dict(server.variables)
    with tempfile.TemporaryDirectory() as folder:
        digest = hashlib.sha256(SECRET.encode()).hexdigest()
        server.variables |= {
            "JWT_KEYS_FILE": f"{folder}/keys.json",
            "INTROSPECTION_CLIENTS": f"billing:{digest}",
            "FEED_CLIENT": f"billing:{SECRET}",
        }
        run_python(OURS, server, "-m", "django", "rotatekeys")
        sessions = stock(OURS, server, CLIENTS)["sessions"]
        with served(OURS, server) as issuer:
            server.variables["ISSUER"] = f"http://localhost:{issuer.port}"
            for _ in range(rounds):
                for site in (FEED, ASKS):
                    found[site.title].append(one_turn(server, site, sessions))
                    print(f"  {site.title}: {json.dumps(found[site.title][-1])}", flush=True)
    server.variables = before
    return found


# Prints the milliseconds of the first answer, with the whole window, and of one with nothing new.
ASK = """
import django; django.setup()
import json, statistics, time
from token_blacklist.services.revocations import read
def timed(after):
    began = time.perf_counter()
    found = read(after)
    return (time.perf_counter() - began) * 1000, found.cursor
timed("")
whole = [timed("") for _ in range(5)]
new = [timed(whole[-1][1]) for _ in range(5)]
print(json.dumps([statistics.median(ms for ms, _cursor in each) for each in (whole, new)]))
"""


def feed_costs(server: Server, ended: Iterable[int]) -> list[dict[str, float]]:
    """Return what the feed takes with so many sessions that ended in its window."""
    found = []
    for count in ended:
        lists.empty(server, OURS)
        lists.fill(server, OURS, 1, count)
        server.run(
            OURS.database,
            f"TRUNCATE {lists.BLACKLISTED}",
            f"INSERT INTO {lists.BLACKLISTED} (token_id, blacklisted_at, reason)"
            " SELECT id, now() - id % 300 * interval '1 second', 'logout'"
            f" FROM {lists.OUTSTANDING}",
            f"VACUUM ANALYZE {lists.BLACKLISTED}",
        )
        whole, new = json.loads(run_python(OURS, server, "-c", ASK).splitlines()[-1])
        found.append({"ended": count, "whole ms": whole, "new ms": new})
        print(f"  {json.dumps(found[-1])}", flush=True)
    lists.empty(server, OURS)
    return found


def one_turn(server: Server, site: Site, sessions: list[Any]) -> dict[str, float]:
    with served(site, server) as running:
        stories = [asking(each["access"]) for each in sessions]
        result = load.run(running.port, stories, warm_up=1, seconds=3)
    return {
        "per second": result.per_second,
        "p50 ms": result.percentile(50) * 1000,
        "p99 ms": result.percentile(99) * 1000,
    }
