"""A closed loop of clients: each sends its next request when the last is answered.

One thread and plain sockets, so that the client leaves the processors to what it measures.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .apis import Api, Session

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


def request(
    method: str, path: str, body: Any = None, access: str = "", scheme: str = "Bearer"
) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"User-Agent: {USER_AGENT}",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *([f"Authorization: {scheme} {access}"] if access else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """A client's connection, which is opened again if the server closes it after a response."""

    def __init__(self, port: int, story: Story, status: int) -> None:
        self.port, self.story, self.status = port, story, status
        self.received = b""
        self.is_closed = True
        self.send(next(story))

    def send(self, content: bytes) -> None:
        self.sent_at = time.perf_counter()
        if self.is_closed:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.is_closed = False
        self.socket.sendall(content)

    def receive(self) -> bytes | None:
        """Return the body, once it is here as a whole. Raises if the status is another."""
        chunk = self.socket.recv(65536)
        self.received += chunk
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not chunk:
            raise ConnectionError(f"closed after {self.received!r}")
        if not end:
            return None
        headers = head.lower()
        length = int(headers.partition(b"content-length:")[2].partition(b"\r")[0])
        if len(body) < length:
            return None
        if not head.startswith(b"HTTP/1.1 %d" % self.status):
            raise RuntimeError(f"{head.decode()}\n{body.decode()}")
        self.received = b""
        self.is_closed = b"connection: close" in headers
        return body


def run(
    port: int,
    stories: Iterable[Story],
    *,
    status: int = 200,
    warm_up: float = 0,
    seconds: float = 0,
    until: Callable[[], bool] = lambda: False,
    started: Callable[[], None] = lambda: None,
) -> Load:
    """Let every story go on for so long, `until` that, or to its end.

    Each response must have this status. `started` is called after the warm-up.
    """
    load = Load()
    with selectors.DefaultSelector() as selector:
        for story in stories:
            connection = Connection(port, story, status)
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
                content = next_request(connection.story, body)
                if was_closed := content is None or connection.is_closed:
                    selector.unregister(connection.socket)
                    connection.socket.close()
                if content is not None:
                    connection.send(content)
                    if was_closed:
                        selector.register(connection.socket, selectors.EVENT_READ, connection)
        load.seconds = time.perf_counter() - begin
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return load


def one_after_another(port: int, story: Story, status: int) -> Iterator[float]:
    """Send the requests of one client; yield the seconds that each takes."""
    connection = Connection(port, story, status)
    try:
        while True:
            while (body := connection.receive()) is None:
                pass
            yield time.perf_counter() - connection.sent_at
            content = next_request(story, body)
            if content is None:
                return
            connection.send(content)
    finally:
        connection.socket.close()


def next_request(story: Story, answer: bytes) -> bytes | None:
    """Return what the client sends after this answer; None at the end of its story."""
    try:
        return story.send(answer)
    except StopIteration:
        return None


def refreshing(api: Api, session: Session) -> Story:
    while True:
        answer = yield api.refresh(session)
        session = api.session(answer)


def refreshing_in_turn(api: Api, sessions: list[Session], times: int) -> Story:
    """Refresh each of the sessions so many times, and leave its new tokens in its place."""
    for _ in range(times):
        for place, session in enumerate(sessions):
            answer = yield api.refresh(session)
            sessions[place] = api.session(answer)


def signing_out(api: Api, sessions: Iterable[Session]) -> Story:
    for session in sessions:
        yield api.sign_out(session)


def asking(api: Api, session: Session) -> Story:
    while True:
        yield api.ask(session)


def signing_in(api: Api, users: Iterable[str]) -> Story:
    for user in users:
        yield api.sign_in(user)


def opening(api: Api, users: Iterable[str], opened: list[Session]) -> Story:
    """Sign each of the users in once, and keep the tokens in `opened`."""
    for user in users:
        answer = yield api.sign_in(user)
        opened.append(api.session(answer))
