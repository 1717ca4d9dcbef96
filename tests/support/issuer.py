"""A fake issuing site with valid, invalid, slow or endless answers."""

from __future__ import annotations

import json
import socketserver
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .server import serving

Answer = Callable[[], Iterator[bytes]]
MEBIBYTE = 2**20


class Issuer:
    """The answers by path: each is sent once, the last one repeatedly."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, list[Answer]] = defaultdict(lambda: [sent(b"")])
        self.asked: list[str] = []  # the first lines of the requests
        self.bytes_sent = 0

    def times_asked(self, path: str) -> int:
        return sum(line.split(" ")[1].partition("?")[0] == path for line in self.asked)

    def next_answer(self, path: str) -> Iterator[bytes]:
        answers = self.answers[path]
        return (answers.pop(0) if len(answers) > 1 else answers[0])()


@contextmanager
def issuing(tls: ssl.SSLContext | None = None) -> Iterator[Issuer]:
    """Serve an issuer on 127.0.0.1, with HTTP or HTTPS."""

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            if tls:
                self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def handle(self) -> None:
            first = self.rfile.readline().decode().strip()
            while self.rfile.readline().strip():
                pass
            issuer.asked.append(first)
            path = first.split(" ")[1].partition("?")[0]
            with suppress(OSError):  # the reader closed the connection
                for piece in issuer.next_answer(path):
                    self.request.sendall(piece)
                    issuer.bytes_sent += len(piece)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, request_queue_size = True, 64

        def handle_error(self, *_args: object) -> None:
            """Ignore errors: a reader may close the connection at any time."""

    server = Server(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}")
    with serving(server):
        yield issuer


def sent(*pieces: bytes, pause: float = 0) -> Answer:
    """Return the answer that sends the pieces, with a pause before each but the first."""

    def answer() -> Iterator[bytes]:
        yield pieces[0]
        for piece in pieces[1:]:
            time.sleep(pause)
            yield piece

    return answer


def ok(body: bytes, *headers: str) -> bytes:
    """Return a response of status 200. Its Content-Length is right unless a header has another."""
    named = headers or (f"Content-Length: {len(body)}",)
    head = "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: application/json", *named, "", ""])
    return head.encode() + body


def right(value: Any) -> Answer:
    return sent(ok(json.dumps(value).encode()))


def slowly(response: bytes) -> Answer:
    """Return the answer that sends a byte at a time, sooner than a socket's timeout ends."""
    return sent(*(response[i : i + 1] for i in range(len(response))), pause=0.1)


def endless(head: bytes, piece: bytes, pieces: int = 1024) -> Answer:
    """Return the answer that sends the head and then one piece after another."""

    def answer() -> Iterator[bytes]:
        yield head
        for _ in range(pieces):
            yield piece

    return answer


WRONG = {
    "cut off": sent(ok(b'{"cursor": "1.1", "ke', "Content-Length: 1000")),
    "chunks cut off": sent(ok(b"ff\r\n{", "Transfer-Encoding: chunked")),
    "not chunks": sent(ok(b"seven\r\n{", "Transfer-Encoding: chunked")),
    "not HTTP": sent(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "a line without an end": endless(b"HTTP/1.1 200 ", b"x" * 1000),
    "headers without an end": endless(b"HTTP/1.1 200 OK\r\n", b"A: 1\r\n"),
    "continue without an end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 100_000),
    "closed": sent(b""),
    "an error": sent(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}"),
    "refused": sent(b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}"),
    "a redirect": sent(b"HTTP/1.1 302 Found\r\nLocation: /stolen\r\nContent-Length: 0\r\n\r\n"),
    "brackets": sent(ok(b"[" * 200_000)),
    "deep": sent(ok(b'{"keys":' * 100_000)),
    "a gigabyte": endless(ok(b"", f"Content-Length: {2**30}"), b" " * MEBIBYTE),
    "a gigabyte of chunks": endless(
        ok(b"", "Transfer-Encoding: chunked"), b"100000\r\n" + b" " * MEBIBYTE + b"\r\n"
    ),
    "an impossible length": sent(ok(b"{", f"Content-Length: {10**18}")),
    "slow body": slowly(ok(b"{" + b" " * 200)),
    "slow head": slowly(b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 50),
    "not text": sent(ok(b"\xff\xff\xff{")),
    "not JSON": sent(ok(b"<!doctype html>")),
    "empty": sent(ok(b"")),
    "a list": right([]),
    "null": right(None),
    "a number": right(7),
    "an empty object": right({}),
}
"""Answers that no reader can use."""
