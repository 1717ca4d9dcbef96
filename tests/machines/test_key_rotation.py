"""The key set is rotated while clients refresh: no request is refused."""

import sys
import threading

import jwt
import pytest

from tests.support.checkout import run
from tests.support.production import wait_for
from tests.support.server import call, database, environment, gunicorn, prepare

CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}
CLIENTS, ROTATIONS = 4, 2

pytestmark = pytest.mark.process


def rotate(env, *arguments):
    done = run(sys.executable, "manage.py", "rotatekeys", *arguments, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.django_db(transaction=True)
def test_rotating_the_keys_refuses_no_request(tmp_path):
    with database(tmp_path) as url:
        env = environment(tmp_path, DATABASE_URL=url, JWT_KEYS_FILE=str(tmp_path / "keys.json"))
        rotate(env, "--kind", "ES256")
        prepare(env)
        with gunicorn(env, workers=2) as server:
            refused, kids, stop = [], set(), threading.Event()

            def refresh():
                pair = call(f"{server.url}/api/token/", CREDENTIALS)[1]
                while not stop.is_set():
                    status, new = call(
                        f"{server.url}/api/token/refresh/", {"refresh": pair["refresh"]}
                    )
                    seen, _who = call(f"{server.url}/api/me/", access=pair["access"])
                    if (status, seen) != (200, 200):
                        refused.append((status, seen, new))
                        return
                    pair = new
                    kids.add(jwt.get_unverified_header(pair["access"])["kid"])

            threads = [threading.Thread(target=refresh) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for number in range(ROTATIONS):
                rotate(env, "--kind", "EdDSA", "--in", "1")
                wait_for(lambda before=number + 1: refused or len(kids) > before)
            stop.set()
            for thread in threads:
                thread.join()

    assert refused == []
    assert len(kids) == 1 + ROTATIONS
