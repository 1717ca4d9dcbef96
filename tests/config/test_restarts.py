"""Stopping and reloading the deployed server while clients use it."""

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.support.production import SIGN_UP
from tests.support.proxy import CADDY
from tests.support.server import ROOT, environment, free_port, gunicorn

pytestmark = pytest.mark.process

HEALTH = "/health/live/"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def env(database, tmp_path):
    return environment(tmp_path, DATABASE_URL=database, EMAIL_URL="dummymail://")


@pytest.fixture
def server(env):
    with gunicorn(env, workers=2, as_deployed=True) as server:
        yield server


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def connect(server):
    """Make connections that are closed at the end."""
    with ExitStack() as stack:

        def connect():
            client = http.client.HTTPConnection(*server.address, timeout=30)
            stack.callback(client.close)
            client.connect()
            return client

        yield connect


@pytest.fixture
def accepted(connect):
    """Make connections that a worker has accepted, by one request on each."""

    def accepted():
        client = connect()
        assert get(client).status == 200
        return client

    return accepted


def get(client):
    client.request("GET", HEALTH)
    answer = client.getresponse()
    answer.read()
    return answer


@contextmanager
def slow_request(env, client):
    """Give the future of a sign-up's status; the sign-up waits for the database in the block."""
    path = env["DATABASE_URL"].removeprefix("sqlite:///").partition("?")[0]
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    body = '{"email": "ada@example.com", "password": "a long and good password"}'
    client.request("POST", SIGN_UP, body, JSON)
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(lambda: client.getresponse().status)
        finally:
            holder.rollback()
            holder.close()


def post(client):
    """Send a POST, which a proxy must not repeat; the response is 401."""
    client.request("POST", "/api/token/verify/", b'{"token": "x"}', JSON)
    answer = client.getresponse()
    answer.read()
    return answer


class Clients:
    """Threads that send one request after another and collect the errors."""

    def __init__(self, address, count=4, ask=get, expected=200):
        self.address = address
        self.send, self.expected = ask, expected
        self.answered = [0] * count
        self.failed = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(n,)) for n in range(count)]

    def ask(self, number):
        client = http.client.HTTPConnection(*self.address, timeout=30)
        while not self.ended.is_set():
            try:
                if (status := self.send(client).status) != self.expected:
                    self.failed.append(status)
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                client.close()
            self.answered[number] += 1
            if number % 2:  # the others keep their connections
                client.close()
        client.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.end()

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def go_on(self, more=5):
        """Wait until each of them has received some more responses."""
        before = list(self.answered)
        wait_until(
            lambda: all(now > then + more for then, now in zip(before, self.answered, strict=True))
        )


CADDYFILE = """
{{
    admin off
    auto_https off
    skip_install_trust
}}
http://127.0.0.1:{port} {{
{block}
}}
"""


def caddy_command(server, folder, port):
    web = "{}:{}".format(*server.address)
    ours = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    (block,) = re.findall(r"(?ms)^\treverse_proxy .*?^\t}$", ours)
    block = block.replace("{$UPSTREAM:127.0.0.1:8000}", web)
    (folder / "Caddyfile").write_text(CADDYFILE.format(port=port, block=block))
    return [CADDY, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@contextmanager
def front(name, server, folder):
    """Yield the address for clients: the server's own, or that of Caddy in front of it."""
    if name == "no proxy":
        yield server.address
        return
    port = free_port()
    home = {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    command = caddy_command(server, folder, port)
    with subprocess.Popen(command, env={**os.environ, **home}) as proxy:
        try:
            wait_until(lambda: answers(("127.0.0.1", port)))
            yield "127.0.0.1", port
        finally:
            proxy.terminate()


def answers(address):
    with suppress(OSError), socket.create_connection(address, timeout=5):
        return True
    return False


@pytest.mark.parametrize("name", ["no proxy", "caddy"])
def test_a_reload_under_load_fails_no_request(env, server, accepted, tmp_path, name):
    with front(name, server, tmp_path) as address, Clients(address) as clients:
        with slow_request(env, accepted()) as slow:
            clients.go_on()
            old = server.workers()
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: len(server.workers() - old) == 2)
            clients.go_on()
            assert old & server.workers()
            assert not slow.done()
        assert slow.result() == 200
        wait_until(lambda: not old & server.workers())
        clients.go_on()

    assert clients.failed == []


def test_restarts_behind_caddy_lose_no_post(env, tmp_path):
    with ExitStack() as stack:
        server = stack.enter_context(gunicorn(env, workers=2, as_deployed=True))
        address = stack.enter_context(front("caddy", server, tmp_path))
        clients = stack.enter_context(Clients(address, 4, ask=post, expected=401))
        for _restart in range(2):
            clients.go_on(more=40)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=30) == 0
            port = server.address[1]
            server = stack.enter_context(gunicorn(env, 2, as_deployed=True, port=port))
        clients.go_on(more=40)
        clients.end()

    assert clients.failed == []


def test_a_stopping_server_answers_accepted_requests_and_refuses_new_connections(
    env, server, accepted
):
    idle, busy = accepted(), accepted()
    with slow_request(env, accepted()) as slow:
        busy.request("GET", HEALTH)
        server.process.send_signal(signal.SIGTERM)
        answer = busy.getresponse()
        wait_until(lambda: not server.listens(), seconds=10)

        for _ in range(7):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(server.address, timeout=5)
        assert idle.sock.recv(1) == b""
        assert not slow.done()

    assert answer.status == 200
    assert slow.result() == 200
    assert server.process.wait(timeout=20) == 0


@contextmanager
def stopped_after(server):
    """Stop the server, whose workers see what the block sends and the signal at the same time."""
    workers = server.workers()
    for worker in workers:
        worker.suspend()
    yield
    for process in (*workers, server.process):
        process.send_signal(signal.SIGTERM)
    for worker in workers:
        worker.resume()


def test_a_stopping_server_sends_connection_close_on_kept_connections(server, accepted):
    kept = [accepted() for _ in range(4)]
    with stopped_after(server):
        for client in kept:
            client.request("GET", HEALTH)

    answers = [client.getresponse() for client in kept]
    assert [(one.status, one.headers["Connection"]) for one in answers] == [(200, "close")] * 4


def test_a_stopping_server_answers_connections_in_the_backlog(server, connect):
    with stopped_after(server):
        waiting = [connect() for _ in range(7)]
        for client in waiting:
            client.request("GET", HEALTH)

    assert [client.getresponse().status for client in waiting] == [200] * 7
