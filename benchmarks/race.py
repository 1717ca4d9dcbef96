"""Twenty clients that send the same refresh token at the same moment."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .operations import Stock
from .sites import OURS, PEER, Server, served

CLIENTS = 20
T = TypeVar("T")


def measure(server: Server, *, rounds: int = 20) -> dict[str, dict[str, Any]]:
    """Return how many different successors there were in each round, by site."""
    found = {}
    for site in (OURS, PEER):
        opened = Stock(server, site, rounds).sessions
        with served(site, server) as running:
            successors = [len(_at_once(running.port, each["refresh"])) for each in opened]
        found[site.title] = {"least": min(successors), "most": max(successors)}
        print(f"  {site.title}: {successors} successors", flush=True)
    return found


def _at_once(port: int, token: str) -> set[str]:
    body = json.dumps({"refresh": token})

    def connected() -> Callable[[], str | None]:
        connection = http.client.HTTPConnection("localhost", port, timeout=60)
        connection.connect()

        def send() -> str | None:
            connection.request(
                "POST", "/api/token/refresh/", body, {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return json.loads(content)["refresh"] if answer.status == 200 else None

        return send

    return {successor for successor in at_once(CLIENTS, connected) if successor}


def at_once(count: int, prepare: Callable[[], Callable[[], T]]) -> list[T]:
    """Return the results of what `prepare` returns, called in many threads at the same moment.

    `prepare` is called in each thread before.
    """
    gate, results = threading.Barrier(count), list[T]()

    def run() -> None:
        call = prepare()
        gate.wait()
        results.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
