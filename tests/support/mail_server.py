"""A mail server for the tests, which keeps what it receives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event
from typing import Any

from .server import serving


class MailServer(ThreadingTCPServer):
    """Accepts every e-mail, except where `answers` has another answer to a line that starts so."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.received: list[Message] = []
        self.arrived = Event()
        self.answers: dict[str, str] = {}

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def answer(self, line: str) -> str:
        found = (text for start, text in self.answers.items() if line.startswith(start))
        return next(found, "354 go on" if line.startswith("DATA") else "250 ok")


class _Session(StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        self.say("220 ready")
        for raw in self.rfile:
            line = raw.decode().strip()
            self.say("221 bye" if line.upper() == "QUIT" else self.server.answer(line.upper()))
            if line.upper() == "DATA":
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.received.append(message_from_bytes(b"".join(lines)))
                self.say("250 accepted")
                self.server.arrived.set()

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Serve for the length of the block."""
    server = MailServer()
    with serving(server):
        yield server
