"""A second service that verifies tokens itself, beside one that asks for each of its requests."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from typing import Any

from . import load
from .sites import OURS, Server, Site, run_python, served, stock

CLIENTS = 8
SECRET = "only-for-the-benchmark"
FEED = Site("verifies, and reads the feed", "examples.second_service.django_app", "none", "none")
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
            "JWT_KEYS_DIR": f"{folder}/ring",
            "INTROSPECTION_CLIENTS": f"billing:{digest}",
            "THROTTLE_INTROSPECT": "",
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


def one_turn(server: Server, site: Site, sessions: list[Any]) -> dict[str, float]:
    with served(site, server) as running:
        stories = [asking(each["access"]) for each in sessions]
        result = load.run(running.port, stories, warm_up=1, seconds=3)
    return {
        "per second": result.per_second,
        "p50 ms": result.percentile(50) * 1000,
        "p99 ms": result.percentile(99) * 1000,
    }
