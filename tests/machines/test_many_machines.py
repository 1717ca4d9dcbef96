"""Three machines behind one name: one database, one cache, and no memory of their own."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.site import call, database, environment, gunicorn, prepare

from .redis import redis_url

CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}
CLIENTS = 12

pytestmark = [pytest.mark.timeout(180), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def machines(tmp_path):
    with ExitStack() as stack:
        env = environment(
            tmp_path,
            DATABASE_URL=stack.enter_context(database(tmp_path)),
            CACHE_URL=stack.enter_context(redis_url()),
            THROTTLE_LOGIN_ACCOUNT="60/hour",
        )
        prepare(env)
        yield [stack.enter_context(gunicorn(env, workers=2)) for _ in range(3)]


def test_signed_in_on_one_refreshed_on_the_next_signed_out_on_the_third(machines):
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


def test_the_machines_count_a_guesser_together(machines):
    guess = {"email": "nobody@example.com", "password": "guess"}
    turns = itertools.cycle(machines)

    with ThreadPoolExecutor(max_workers=6) as pool:
        guesses = [
            pool.submit(call, f"{machine.url}/api/token/", guess)
            for machine in itertools.islice(turns, 63)
        ]
        said = sorted(future.result()[0] for future in guesses)

    # One more where the hour ends meanwhile.
    assert said.count(429) == 3 or said.count(429) == 0
    assert set(said) <= {401, 429}


def test_a_machine_that_dies_under_load_takes_no_session_along(machines):
    pairs = [call(f"{machines[0].url}/api/token/", CREDENTIALS)[1] for _ in range(CLIENTS)]
    killed, ended = threading.Event(), time.monotonic() + 6

    def use(number, refresh):
        """Refresh on one machine after the other; where one does not answer, ask the next."""
        done = after = 0
        for turn in itertools.count(number):
            if time.monotonic() > ended:
                return refresh, done, after
            was_killed = killed.is_set()
            try:
                url = machines[turn % 3].url
                status, body = call(f"{url}/api/token/refresh/", {"refresh": refresh})
            except OSError:
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
        results = [future.result() for future in used]

    for refresh, done, after in results:
        assert done > after > 0
        assert call(f"{machines[2].url}/api/token/refresh/", {"refresh": refresh})[0] == 200
