"""The memory of the server in its default configuration."""

import http.client
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from config.management.commands.demo import PASSWORD
from tests.support.server import call, environment, gunicorn, prepare

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells the sizes"
    ),
]

CREDENTIALS = {"email": "demo@example.com", "password": PASSWORD}
PROCESSORS = set(sorted(os.sched_getaffinity(0))[:2]) if hasattr(os, "sched_getaffinity") else set()


def megabytes(pid):
    """Return the memory of a process and its children; shared memory counts once."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it has ended
        return 0
    (own,) = [int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")]
    return own / 1024 + sum(map(megabytes, children))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The server on two processors, with its own configuration."""
    folder = tmp_path_factory.mktemp("served")
    env = environment(folder, DATABASE_URL=f"sqlite:///{folder / 'site.sqlite3'}")
    prepare(env)
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, PROCESSORS)  # which the server inherits
    try:
        with gunicorn(env, workers=2, as_deployed=True) as server:
            os.sched_setaffinity(0, ours)
            yield server
    finally:
        os.sched_setaffinity(0, ours)


def signs_in(url):
    return call(f"{url}/api/token/", CREDENTIALS)[0]


def test_sixteen_concurrent_sign_ins_stay_below_256_megabytes(server):
    assert signs_in(server.url) == 200

    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(signs_in, server.url) for _ in range(64)]
        peak = 0
        while not all(answer.done() for answer in answers):
            peak = max(peak, megabytes(server.process.pid))
            time.sleep(0.02)

    assert [answer.result() for answer in answers] == [200] * 64
    assert peak < 256


def largest(size):
    """Return a JSON body of that size which becomes as many objects as possible."""
    body = b"{" + b",".join(b'"%d":0' % number for number in range(size // 6))
    return body[: body.rindex(b",", 0, size)] + b"}"


def status_of(server, path, body):
    client = http.client.HTTPConnection(*server.address, timeout=60)
    with closing(client):
        client.request("POST", path, body, {"Content-Type": "application/json"})
        return client.getresponse().status


def memory_with(server, path, body, expected):
    """Send 60 at once; return the most memory at any time."""
    started = Barrier(60)

    def send(_number):
        started.wait()
        return status_of(server, path, body)

    peak = 0
    with ThreadPoolExecutor(60) as pool:
        answers = [pool.submit(send, number) for number in range(60)]
        while not all(answer.done() for answer in answers):
            peak = max(peak, megabytes(server.process.pid))
            time.sleep(0.02)
    assert [answer.result() for answer in answers] == [expected] * 60
    return peak


KIB = 1024
CASES = {
    "largest": ("/api/token/verify/", 64 * KIB, 400),
    "too large": ("/api/token/verify/", 270 * KIB, 413),
    "unread": ("/api/nothing/", 270 * KIB, 404),
}


@pytest.mark.parametrize("case", CASES)
def test_sixty_concurrent_large_bodies_stay_below_256_megabytes(server, case):
    path, size, expected = CASES[case]
    body = largest(size)
    assert size - 16 < len(body) <= size

    for _again in range(2):
        assert memory_with(server, path, body, expected) < 256
