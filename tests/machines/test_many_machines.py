"""Three servers with one database and one cache."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPException

import pytest

from tests.support.redis import redis_url
from tests.support.server import call, database, environment, gunicorn, prepare

CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}
CLIENTS = 12

pytestmark = [
    pytest.mark.process,
    pytest.mark.postgresql,
]


@pytest.fixture(scope="module")
def env(tmp_path_factory, django_db_setup, django_db_blocker):
    """The environment of the machines; the database has the demo users."""
    folder = tmp_path_factory.mktemp("machines")
    with django_db_blocker.unblock(), database(folder) as url, redis_url() as cache:
        shared = environment(folder, DATABASE_URL=url, CACHE_URL=cache)
        prepare(shared)
        yield shared


@pytest.fixture(scope="module")
def machines(env):
    with ExitStack() as stack:
        yield [stack.enter_context(gunicorn(env, workers=2)) for _ in range(3)]


def test_a_session_is_opened_refreshed_and_revoked_on_three_machines(machines):
    a, b, c = (machine.url for machine in machines)

    status, pair = call(f"{a}/api/token/", CREDENTIALS)
    assert status == 200
    status, pair = call(f"{b}/api/token/refresh/", {"refresh": pair["refresh"]})
    assert status == 200
    assert call(f"{c}/api/me/", access=pair["access"])[0] == 200
    assert call(f"{c}/api/token/blacklist/", {"refresh": pair["refresh"]})[0] == 200

    for machine in (a, b, c):
        assert call(f"{machine}/api/me/", access=pair["access"])[0] == 401
        assert call(f"{machine}/api/token/refresh/", {"refresh": pair["refresh"]})[0] == 401


def test_a_machine_that_dies_under_load_loses_no_session(env, machines):
    pairs = [call(f"{machines[0].url}/api/token/", CREDENTIALS)[1] for _ in range(CLIENTS)]
    with gunicorn(env, workers=2) as dying:
        results = refreshed_while_one_dies([machines[0], dying, machines[2]], pairs)

    for refresh, done, after in results:
        assert done > after > 0
        assert call(f"{machines[2].url}/api/token/refresh/", {"refresh": refresh})[0] == 200


def refreshed_while_one_dies(machines, pairs):
    """Refresh continuously, and kill the second machine after two seconds.

    Return each client's last token, its refreshes, and how many of those came after the end.
    """
    killed, ended = threading.Event(), time.monotonic() + 6

    def use(number, refresh):
        """Refresh on the machines in turn; if one does not answer, use the next."""
        done = after = 0
        for turn in itertools.count(number):
            if time.monotonic() > ended:
                return refresh, done, after
            was_killed = killed.is_set()
            try:
                url = machines[turn % 3].url
                status, body = call(f"{url}/api/token/refresh/", {"refresh": refresh})
            except (OSError, HTTPException):  # it may die while sending a response
                continue
            assert status == 200, body
            refresh = body["refresh"]
            done += 1
            after += was_killed
        raise AssertionError

    with ThreadPoolExecutor(max_workers=CLIENTS) as pool:
        used = [pool.submit(use, n, pair["refresh"]) for n, pair in enumerate(pairs)]
        time.sleep(2)
        machines[1].kill()
        killed.set()
        return [future.result() for future in used]
