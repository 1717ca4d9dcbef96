"""Twenty clients that send the same refresh token at the same moment."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

from .operations import Stock
from .sites import OURS, PEER, Server, served

CLIENTS = 20


def measure(server: Server, *, rounds: int = 20) -> dict[str, dict[str, Any]]:
    """Return how many different successors there were in each round, by site."""
    found = {}
    for site in (OURS, PEER):
        tokens = Stock(server, site, rounds).refresh_tokens()
        with served(site, server) as running:
            successors = [len(_at_once(running.port, token)) for token in tokens]
        found[site.title] = {"least": min(successors), "most": max(successors)}
        print(f"  {site.title}: {successors} successors", flush=True)
    return found


def _at_once(port: int, token: str) -> set[str]:
    gate, answers = threading.Barrier(CLIENTS), set()

    def send() -> None:
        connection = http.client.HTTPConnection("localhost", port, timeout=60)
        connection.connect()
        gate.wait()
        body = json.dumps({"refresh": token})
        connection.request(
            "POST", "/api/token/refresh/", body, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 200:
            answers.add(json.loads(content)["refresh"])
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
