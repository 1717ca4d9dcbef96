"""Attacks on the app behind Caddy, with the project's Caddyfile, outside DEBUG."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Event

import pytest

from tests.support.proxy import in_front_of

pytestmark = [pytest.mark.process, pytest.mark.postgresql]

JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def site(app, proxies):
    """Caddy in front of two processes of four threads."""
    proxy = proxies()
    in_front_of(app, proxy, "caddy")
    return proxy


def head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def connect(site, stack, buffer=None):
    """Return a TLS connection whose receive buffer has the given size."""
    plain = socket.socket()
    if buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.settimeout(30)
    plain.connect(("127.0.0.1", site.https))
    return stack.enter_context(site.tls.wrap_socket(plain, server_hostname="localhost"))


def exchange(site, data):
    """Send the bytes; return everything that comes back until the connection ends."""
    received = b""
    with ExitStack() as stack, suppress(OSError):
        client = connect(site, stack)
        client.sendall(data)
        client.settimeout(1)
        while part := client.recv(65536):
            received += part
    return received


def seconds_of_a_sign_in(site):
    """Return how long the sign-in of another client takes."""
    began = time.monotonic()
    status = site.call("/api/token/", {"email": "nobody@example.com", "password": "x"})[0]
    assert status == 401
    return time.monotonic() - began


SLOW = {
    "API": head("POST", "/api/token/", JSON, "Content-Length: 60000"),
    "chunks": head("POST", "/api/token/", JSON, "Transfer-Encoding: chunked"),
}


@pytest.mark.parametrize("kind", SLOW)
def test_300_slow_request_bodies_do_not_delay_other_clients(site, kind):
    piece = b"1\r\n[\r\n" if kind == "chunks" else b"["
    with ExitStack() as stack:
        slow = [connect(site, stack) for _ in range(300)]
        for client in slow:
            client.sendall(SLOW[kind] + piece)
        waits = []
        for _ in range(6):
            waits.append(seconds_of_a_sign_in(site))
            for client in slow:
                with suppress(OSError):  # Caddy has ended it
                    client.sendall(piece)

    assert max(waits) < 2


def test_100_clients_that_read_no_response_do_not_delay_others(site, project):
    hashed = json.loads((project / "staticfiles/staticfiles.json").read_text())["paths"]
    (largest,) = (name for path, name in hashed.items() if path.endswith("swagger-ui-bundle.js"))
    with ExitStack() as stack:
        for _ in range(100):
            client = connect(site, stack, buffer=4096)
            client.sendall(head("GET", f"/static/{largest}"))
        time.sleep(1)

        waits = [seconds_of_a_sign_in(site) for _ in range(6)]

    assert max(waits) < 2


REQUESTS = head("GET", "/poisoned/") * 10_000
POISON = {
    "an unread body": head("POST", "/nowhere/", "Content-Length: 250000") + REQUESTS[:250_000],
    "a body that is too large": head("POST", "/api/token/", JSON, "Content-Length: 250000")
    + REQUESTS[:250_000],
    "half a body": head("POST", "/nowhere/", "Content-Length: 1000") + REQUESTS[:500],
    "both kinds of length": head(
        "POST", "/api/token/", JSON, "Content-Length: 60", "Transfer-Encoding: chunked"
    )
    + b"0\r\n\r\n"
    + REQUESTS[:55],
    "two lengths": head("POST", "/nowhere/", "Content-Length: 0", "Content-Length: 43")
    + REQUESTS[:43],
    "an unknown coding": head("POST", "/nowhere/", "Transfer-Encoding: xchunked") + REQUESTS[:90],
}


@pytest.mark.parametrize("kind", POISON)
def test_no_body_is_parsed_as_another_clients_request(site, kind):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(exchange, [site] * 4, [POISON[kind]] * 4))

    for _ in range(20):
        status, _headers, page = site.call("/login/")
        assert (status, b"poisoned" in page) == (200, False)


def test_unread_bodies_do_not_fail_other_clients_requests(site):
    """gunicorn may close a connection with an unread body, which Caddy reuses for other clients."""
    ended = Event()

    def attack():
        count = 0
        while not ended.is_set():
            count += site.call("/nowhere/", "x" * 250_000)[0] == 404
        return count

    with ThreadPoolExecutor(4) as pool:
        attacks = [pool.submit(attack) for _ in range(4)]
        statuses = [site.call("/api/token/verify/", {"token": "x"})[0] for _ in range(300)]
        ended.set()

    assert statuses == [401] * 300
    assert sum(attack.result() for attack in attacks) > 20
