"""The server as it is deployed, without a proxy: what slow and odd clients do to the others."""

import http.client
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest

from tests.support.server import environment, gunicorn

pytestmark = pytest.mark.process

DEADLINE = 10
LIMIT = 1024 * 1024


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where two workers of four threads listen. Nothing here needs a table."""
    folder = tmp_path_factory.mktemp("served")
    env = environment(
        folder,
        DATABASE_URL=f"sqlite:///{folder / 'db.sqlite3'}",
        SECURE_HSTS_SECONDS="60",
        THROTTLE_REGISTER="1/day",
        FORWARDED_ALLOW_IPS="*",  # gunicorn reads it where its configuration says nothing
    )
    with gunicorn(env, workers=2, as_deployed=True) as server:
        url = urlsplit(server.url)
        yield url.hostname, url.port


def head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def health_seconds(address):
    """Return how long a health check takes on a connection of its own."""
    began = time.monotonic()
    client = http.client.HTTPConnection(*address, timeout=20)
    client.request("GET", "/health/live/")
    assert client.getresponse().status == 200
    client.close()
    return time.monotonic() - began


def until_closed(client):
    """Return everything that the server still sends."""
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


JSON = "Content-Type: application/json"
SLOW = {
    "body": (head("POST", "/api/token/", JSON, "Content-Length: 900000"), b"x"),
    "body of an unknown path": (head("POST", "/nowhere/", "Content-Length: 900000"), b"x"),
    "headers": (b"GET /health/live/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", b"x"),
    "request line": (b"GET /", b"x"),
    "too large": (head("POST", "/api/token/", JSON, "Content-Length: 90000000"), b"x"),
    "chunked": (head("POST", "/api/token/", JSON, "Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
    "nothing": (b"", b""),
}


@pytest.mark.parametrize("kind", SLOW)
def test_slow_clients_do_not_keep_others_waiting(address, kind):
    beginning, more = SLOW[kind]
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(40)
        ]
        for client in slow:
            client.sendall(beginning)
        time.sleep(0.3)

        waits = []
        for _ in range(6):
            waits.append(health_seconds(address))
            for client in slow:
                with suppress(OSError):  # the server has closed it
                    client.sendall(more)
            time.sleep(0.3)

    assert max(waits) < 2


@pytest.mark.parametrize(
    ("kind", "status"), [("body", b"408"), ("headers", b"408"), ("nothing", b"")]
)
def test_a_request_has_ten_seconds_to_come_in(address, kind, status):
    beginning, more = SLOW[kind]
    with socket.create_connection(address, timeout=30) as client:
        began = time.monotonic()
        client.sendall(beginning)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(until_closed, client)
            while not answer.done() and time.monotonic() - began < 2 * DEADLINE:
                time.sleep(1)
                try:
                    client.sendall(more)
                except OSError:
                    break
            received = answer.result()

    assert DEADLINE - 1 < time.monotonic() - began < DEADLINE + 6
    assert received[9:12] == status
    assert not status or b"Connection: close" in received


def test_a_large_body_in_many_pieces_is_read_as_a_whole(address):
    body = b'{"refresh": "' + b"x" * 65_000 + b'"}'
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(head("POST", "/api/token/refresh/", JSON, f"Content-Length: {len(body)}"))
        for start in range(0, len(body), 5_000):
            client.sendall(body[start : start + 5_000])
        answer = http.client.HTTPResponse(client)
        answer.begin()

    assert answer.status in {400, 401}


def test_a_client_that_waits_for_100_continue_gets_it(address):
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(head("POST", "/nowhere/", "Content-Length: 2", "Expect: 100-continue"))
        assert client.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"{}")
        answer = http.client.HTTPResponse(client)
        answer.begin()

    assert answer.status == 404


SMALL, LARGE, TOO_LARGE = 10, 500_000, LIMIT + 100_000
REFUSED = {
    "404": ("POST", "/nowhere/", JSON),
    "405": ("PUT", "/api/token/refresh/", JSON),
    "415": ("POST", "/api/token/refresh/", "Content-Type: text/plain"),
    "401": ("POST", "/api/sessions/", JSON),
    "429": ("POST", "/api/register/", JSON),
    "401 of a token": ("PATCH", "/api/me/", JSON, "Authorization: Bearer x"),
    "static file": ("POST", "/static/css/site.css", JSON),
}


@pytest.mark.parametrize("size", [SMALL, LARGE, TOO_LARGE])
@pytest.mark.parametrize("kind", REFUSED)
def test_after_a_refusal_a_connection_serves_the_next_request_or_is_closed(address, kind, size):
    method, path, *lines = REFUSED[kind]
    with socket.create_connection(address, timeout=20) as client:
        if kind == "429":  # the one sign-up that a day has
            client.sendall(head(method, path, "Content-Length: 2", *lines) + b"{}")
            used = http.client.HTTPResponse(client)
            used.begin()
            used.read()
        client.sendall(head(method, path, f"Content-Length: {size}", *lines) + b"[" * size)
        first = http.client.HTTPResponse(client, method=method)
        first.begin()
        first.read()
        if first.will_close:
            ended = until_closed(client)
        else:
            client.sendall(head("GET", "/health/live/"))
            second = http.client.HTTPResponse(client)
            second.begin()

    assert first.status in ({405} if kind == "static file" else {int(kind[:3]), 413})
    if first.will_close:
        assert ended == b""
    else:
        assert second.status == 200
    assert first.will_close or size != TOO_LARGE


def test_a_body_that_is_too_large_is_answered_with_413_and_the_end(address):
    with socket.create_connection(address, timeout=20) as client:
        body = b"[" * TOO_LARGE
        client.sendall(head("POST", "/api/token/", JSON, f"Content-Length: {len(body)}") + body)
        received = until_closed(client)

    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"payload_too_large" in received
    assert re.search(rb"(?i)^connection: close\r$", received, re.MULTILINE)


def test_a_chunked_body_is_answered_with_411_and_the_end(address):
    chunked = head("POST", "/api/token/", JSON, "Transfer-Encoding: chunked")
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(chunked + b"2\r\n{}\r\n0\r\n\r\n" + head("GET", "/health/live/"))
        received = until_closed(client)

    assert received.startswith(b"HTTP/1.1 411 ")
    assert b"Connection: close\r\n" in received
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("kind", REFUSED)
def test_what_follows_half_a_body_is_no_request(address, kind):
    method, path, *lines = REFUSED[kind]
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(head(method, path, "Content-Length: 1000", *lines) + b"[" * 500)
        client.sendall(head("GET", "/health/live/"))
        client.shutdown(socket.SHUT_WR)
        received = until_closed(client)

    assert received == b""


def test_requests_sent_in_one_go_are_answered_in_their_order(address):
    post = head("POST", "/nowhere/", JSON, f"Content-Length: {LARGE}") + b"[" * LARGE
    last = head("GET", "/health/live/", "Connection: close")
    with socket.create_connection(address, timeout=20) as client:
        client.sendall((post + head("GET", "/health/live/")) * 2 + post + last)
        received = until_closed(client)

    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"404", b"200"] * 3


def test_headers_without_an_end_are_refused(address):
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 70_000)
        received = until_closed(client)

    assert received.startswith(b"HTTP/1.1 431 ")


def test_unfinished_large_bodies_do_not_fill_the_memory(address):
    part = head("POST", "/api/token/", JSON, f"Content-Length: {LIMIT}") + b"[" * 900_000
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(170)
        ]
        for client in clients:
            with suppress(OSError):  # the server has closed it
                client.sendall(part)
        waited = health_seconds(address)
        received = [until_closed(client)[9:12] for client in clients]

    assert received.count(b"503") >= 10
    assert received.count(b"408") >= 60
    assert waited < 2


@pytest.mark.parametrize(
    ("path", "forged"),
    [
        ("/x/health/live/", "SCRIPT_NAME: /x"),
        ("/x/health/live/", "Script-Name: /x"),
        ("/nowhere/", "PATH_INFO: /health/live/"),
    ],
)
def test_no_client_chooses_the_path_by_a_header(address, path, forged):
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(head("GET", path, forged, "Connection: close"))
        received = until_closed(client)

    assert received.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "forged",
    [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-Proto: http\r\nX-Forwarded-Ssl: on",
    ],
)
def test_without_a_proxy_no_client_chooses_the_scheme_by_a_header(address, forged):
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(head("GET", "/api/nowhere/", forged, "Connection: close"))
        received = until_closed(client)

    assert received.startswith(b"HTTP/1.1 404 ")
    assert b"strict-transport-security" not in received.lower()  # goes with https alone
