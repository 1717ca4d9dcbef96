"""The same races over HTTP, with four gunicorn processes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.server import call, served

from .conftest import ROUNDS, THREADS

CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}

pytestmark = [
    pytest.mark.process,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def site(tmp_path):
    with served(tmp_path) as url:
        yield url


def test_over_http_concurrent_refreshes_get_one_successor_and_sign_outs_hold(site):
    def refresh(token):
        return call(f"{site}/api/token/refresh/", {"refresh": token})

    def log_out(token):
        return call(f"{site}/api/token/blacklist/", {"refresh": token})

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        for _ in range(ROUNDS):
            status, pair = call(f"{site}/api/token/", CREDENTIALS)
            assert status == 200

            answers = list(pool.map(refresh, [pair["refresh"]] * THREADS))

            assert {status for status, _ in answers} == {200}
            assert len({body["refresh"] for _, body in answers}) == 1
            newest = answers[0][1]

            mixed = [
                pool.submit(log_out if n == THREADS // 2 else refresh, newest["refresh"])
                for n in range(THREADS)
            ]
            results = [future.result() for future in mixed]

            assert {status for status, _ in results} <= {200, 401}
            assert results[THREADS // 2] == (200, {})
            for status, body in results:
                if status == 200 and body:
                    assert refresh(body["refresh"])[0] == 401
                    assert call(f"{site}/api/me/", access=body["access"])[0] == 401
            assert refresh(newest["refresh"])[0] == 401
