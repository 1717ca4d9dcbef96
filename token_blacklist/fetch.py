"""Fetch JSON from another server, with limits on size and total time.

The timeout of a socket restarts whenever data arrives, so a server that sends a byte a second could
block a thread forever. Here the whole response has one deadline.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
import urllib.request
from collections.abc import Mapping
from functools import cache
from typing import Any


class StatusError(OSError):
    """The server answered with a status other than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered with status {status}")
        self.status = status


def fetch_json(
    url: str, headers: Mapping[str, str] | None = None, *, seconds: float, most: int
) -> Any:
    """Return the JSON at a http or https URL. Uses the proxy of the environment, if one is set.

    The response must be complete within `seconds` of the request, and have at most `most` bytes.
    Connecting may take as long again for each address of the host. Redirects are not followed,
    because the headers may have a secret for this URL.

    Raises:
        StatusError: the status is not 200.
        Exception: of any class, because a server can send anything: OSError, ValueError,
            http.client.HTTPException, RecursionError and others.
    """
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310  # of settings
    with _opener().open(request, timeout=seconds) as answer:
        if answer.status != http.client.OK:
            raise StatusError(answer.status)
        body = answer.read(most + 1)
    if len(body) > most:
        raise ValueError(f"the answer has more than {most} bytes")
    return json.loads(body)


class _UntilDeadline(io.RawIOBase):
    """The data that a socket receives, with a deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock, self.deadline = sock, deadline
        self.received = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self.sock.settimeout(left)
        return self.received.readinto(buffer)

    def close(self) -> None:
        self.received.close()
        super().close()


class _ResponseSocket:
    """The two methods of a socket that http.client needs to read a response."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock, self.deadline = sock, deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_UntilDeadline(self.sock, self.deadline))

    def close(self) -> None:
        self.sock.close()


class _Connection(http.client.HTTPConnection):
    timeout: float
    sock: Any

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        self.sock = _ResponseSocket(self.sock, time.monotonic() + self.timeout)


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    pass


class _Handler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


class _SecureHandler(urllib.request.HTTPSHandler):
    def __init__(self) -> None:
        self.context = ssl.create_default_context()  # once, because it reads all certificates
        super().__init__(context=self.context)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, request, context=self.context)


@cache
def _opener() -> urllib.request.OpenerDirector:
    """Return an opener without urllib's handlers for redirects, files and FTP."""
    opener = urllib.request.OpenerDirector()
    for kind in (urllib.request.ProxyHandler, urllib.request.UnknownHandler):
        opener.add_handler(kind())
    opener.add_handler(_Handler())
    opener.add_handler(_SecureHandler())
    return opener
