"""A server that is not Django: an app's page, session.js, and a proxy for /api/."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .server import ROOT, serving

FILES = {
    "/": ("text/html", b"<!doctype html><title>An app</title><link rel=icon href=data:,>"),
    "/session.js": ("text/javascript", (ROOT / "static" / "js" / "session.js").read_bytes()),
}
HOP_BY_HOP = {"connection", "transfer-encoding", "date", "server"}


@contextmanager
def other_site(django: str, port: int, *, keeps_host: bool) -> Iterator[None]:
    """Serve the app; proxy /api/ to Django, with the request's Host header or Django's own."""
    upstream = urlsplit(django).netloc

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # its name there
            if self.path in FILES:
                kind, body = FILES[self.path]
                self.answer(200, [("Content-Type", kind)], body)
            else:
                self.forward()

        def do_POST(self) -> None:  # its name there
            self.forward()

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(upstream, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name != "Connection"}
            if not keeps_host:
                headers["Host"] = upstream
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            self.answer(answer.status, answer.getheaders(), answer.read())
            connection.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in {*HOP_BY_HOP, "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Keep the output of the tests clean."""

    with serving(ThreadingHTTPServer(("127.0.0.1", port), Handler)):
        yield
