"""A closed loop of clients: each sends its next request when the last is answered.

One thread and plain sockets, so that the client leaves the processors to what it measures.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"

Story = Generator[bytes, bytes, None]
"""What a client does: yields a request, is sent the body of its answer."""


@dataclass
class Load:
    """What was answered after the warm-up. Times in seconds."""

    seconds: float = 0
    times: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def request(method: str, path: str, body: Any = None, access: str = "") -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"User-Agent: {USER_AGENT}",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *([f"Authorization: Bearer {access}"] if access else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    def __init__(self, port: int, story: Story) -> None:
        self.story = story
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.send(next(story))

    def send(self, content: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(content)

    def receive(self) -> bytes | None:
        """Return the body, once it is here as a whole. Raises where it is no 200."""
        chunk = self.socket.recv(65536)
        self.received += chunk
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not chunk:
            raise ConnectionError(f"closed after {self.received!r}")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        if len(body) < length:
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head.decode()}\n{body.decode()}")
        self.received = b""
        return body


def run(
    port: int,
    stories: Iterable[Story],
    *,
    warm_up: float = 0,
    seconds: float = 0,
    until: Callable[[], bool] = lambda: False,
    started: Callable[[], None] = lambda: None,
) -> Load:
    """Let every story go on for so long, `until` that, or until all of them are told.

    `started` is called when the warm-up is over.
    """
    load = Load()
    with selectors.DefaultSelector() as selector:
        for story in stories:
            connection = Connection(port, story)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        begin = time.perf_counter() + warm_up
        end = begin + seconds if seconds else float("inf")
        is_warm = False
        while selector.get_map() and (now := time.perf_counter()) < end and not until():
            if not is_warm and now >= begin:
                is_warm, begin = True, now
                started()
            for key, _events in selector.select(timeout=0.1):
                connection = key.data
                if (body := connection.receive()) is None:
                    continue
                if is_warm:
                    load.times.append(time.perf_counter() - connection.sent_at)
                try:
                    connection.send(connection.story.send(body))
                except StopIteration:
                    selector.unregister(connection.socket)
                    connection.socket.close()
        load.seconds = time.perf_counter() - begin
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return load


def refreshing(token: str) -> Story:
    while True:
        body = yield request("POST", "/api/token/refresh/", {"refresh": token})
        token = json.loads(body)["refresh"]


def refreshing_in_turn(tokens: list[str], times: int) -> Story:
    """Refresh each of the tokens so many times, and leave its successor in its place."""
    for _ in range(times):
        for place, token in enumerate(tokens):
            body = yield request("POST", "/api/token/refresh/", {"refresh": token})
            tokens[place] = json.loads(body)["refresh"]


def signing_out(tokens: Iterable[str]) -> Story:
    for token in tokens:
        yield request("POST", "/api/token/blacklist/", {"refresh": token})


def asking(access: str) -> Story:
    while True:
        yield request("GET", "/api/me/", access=access)


def signing_in(people: list[dict[str, str]]) -> Story:
    while True:
        for credentials in people:
            yield request("POST", "/api/token/", credentials)
