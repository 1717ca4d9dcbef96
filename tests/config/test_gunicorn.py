"""gunicorn with the project's configuration: its start, and which requests it accepts."""

import http.client
import logging
import runpy
import socket
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

from tests.support.checkout import ROOT, bare_environment
from tests.support.parts import only_with
from tests.support.server import environment, free_port, gunicorn


@pytest.mark.parametrize(("workers", "warnings"), [(24, 0), (25, 1)])
def test_more_connections_than_postgresqls_default_are_logged_as_one_warning(
    caplog, workers, warnings
):
    config = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))
    config["on_starting"].__globals__["require_the_project"] = lambda: ""
    server = SimpleNamespace(
        cfg=SimpleNamespace(workers=workers, threads=config["threads"]),
        log=logging.getLogger("gunicorn.error"),
    )

    config["on_starting"](server)

    assert len(caplog.messages) == warnings
    assert all("up to 100 database connections" in message for message in caplog.messages)


@pytest.mark.process
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be line or json."),
        *only_with(
            "metrics",
            (
                {"METRICS_TOKEN": "a token of the metrics", "METRICS_DIR": "/proc/nowhere"},
                "METRICS_DIR is not writable: No such file or directory.",
            ),
        ),
        ({"DEBUG": "False"}, "- SECRET_KEY is not set."),
    ],
)
def test_a_refused_start_prints_the_reason_without_a_traceback(variables, sentence):
    bind = f"127.0.0.1:{free_port()}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"),
            *("--bind", bind, "config.wsgi"),
        ],
        cwd=ROOT,
        env=bare_environment(**{"ENV_FILE": "", "DEBUG": "True"} | variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Booting worker" not in done.stdout


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a server with two processes of four threads, without a database."""
    folder = tmp_path_factory.mktemp("served")
    env = environment(
        folder,
        DATABASE_URL=f"sqlite:///{folder / 'db.sqlite3'}",
        SECURE_HSTS_SECONDS="60",
        FORWARDED_ALLOW_IPS="*",  # gunicorn reads it if the configuration does not set it
    )
    with gunicorn(env, workers=2, as_deployed=True) as server:
        yield server.address


def head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def exchange(address, data):
    """Send the bytes and close the writing side; return everything received."""
    received = b""
    with socket.create_connection(address, timeout=20) as client:
        client.sendall(data)
        with suppress(OSError):  # the server has closed the connection
            client.shutdown(socket.SHUT_WR)
        try:
            while part := client.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    return received


@pytest.mark.process
@pytest.mark.parametrize(
    ("path", "forged"),
    [
        ("/x/health/live/", "SCRIPT_NAME: /x"),
        ("/x/health/live/", "Script-Name: /x"),
        ("/nowhere/", "PATH_INFO: /health/live/"),
    ],
)
def test_a_client_cannot_set_the_path_by_a_header(address, path, forged):
    received = exchange(address, head("GET", path, forged, "Connection: close"))

    assert received.startswith(b"HTTP/1.1 404 ")


@pytest.mark.process
@pytest.mark.parametrize(
    "forged",
    [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Ssl: on",
    ],
)
def test_without_a_proxy_a_client_cannot_set_the_scheme_by_a_header(address, forged):
    received = exchange(address, head("GET", "/api/nowhere/", forged, "Connection: close"))

    assert received.startswith(b"HTTP/1.1 404 ")
    assert b"strict-transport-security" not in received.lower()  # only with HTTPS


JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
VERIFY = head("POST", "/api/token/verify/", JSON, CHUNKED, "Connection: close")


def in_chunks(body, size=10_000):
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.process
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (in_chunks(b'{"token": "x"}', 5), b"401"),
        (in_chunks(b"[" * 2_000), b"400"),
        (in_chunks(b"[" * 100_000), b"413"),
        (in_chunks(b"[" * 400_000), b"413"),
        (b"nonsense\r\n", b"400"),
        (b"5\r\n{}", b""),
    ],
)
def test_a_chunked_body_is_read_as_a_whole_or_refused(address, body, status):
    assert exchange(address, VERIFY + body)[9:12] == status


REFUSED = {
    "404": ("POST", "/nowhere/", JSON),
    "405": ("PUT", "/api/token/refresh/", JSON),
    "415": ("POST", "/api/token/refresh/", "Content-Type: text/plain"),
    "401": ("POST", "/api/sessions/", JSON),
    "413": ("POST", "/api/token/", JSON),
}


@pytest.mark.process
@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("sent", [500_000, 500])  # all of the announced body, and a part
def test_the_body_of_a_refused_request_is_not_parsed_as_a_request(address, kind, sent):
    method, path, *lines = REFUSED[kind]
    body = (head("GET", "/health/live/") * 20_000)[:sent]
    received = exchange(address, head(method, path, "Content-Length: 500000", *lines) + body)

    assert received.count(b"HTTP/1.1 ") <= 1
    assert b"HTTP/1.1 200 " not in received


@pytest.mark.process
def test_after_a_refusal_a_connection_serves_the_next_request(address):
    with socket.create_connection(address, timeout=20) as client:
        for _ in range(3):
            client.sendall(head("POST", "/nowhere/", "Content-Length: 280000") + b"[" * 280_000)
            first = http.client.HTTPResponse(client)
            first.begin()
            first.read()
            client.sendall(head("GET", "/health/live/"))
            second = http.client.HTTPResponse(client)
            second.begin()
            second.read()
            assert (first.status, second.status) == (404, 200)
