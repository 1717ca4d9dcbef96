"""A second service verifies tokens with the public keys and reads the revocation feed."""

import hashlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager

import pytest

from tests.machines.test_key_rotation import rotate
from tests.support.checkout import ROOT, bare_environment
from tests.support.server import call, database, environment, free_port, gunicorn, prepare

CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}
SECRET = "s" * 40
SERVICES = ["django_app", "flask_app"]

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def env(tmp_path):
    with database(tmp_path) as url:
        digest = hashlib.sha256(SECRET.encode()).hexdigest()
        shared = environment(
            tmp_path,
            DATABASE_URL=url,
            JWT_KEYS_FILE=str(tmp_path / "keys.json"),
            INTROSPECTION_CLIENTS=f"billing:{digest}",
        )
        rotate(shared)
        prepare(shared)
        yield shared


@contextmanager
def second(name, issuer, **variables):
    """Serve an example beside the issuing site; give its address."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", f"{name}:application"),
            *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "4"),
            *("--chdir", str(ROOT / "examples" / "second_service"), "--log-level", "error"),
        ],
        env=bare_environment(
            PYTHONPATH=str(ROOT), ISSUER=issuer, FEED_CLIENT=f"billing:{SECRET}", **variables
        ),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                asked(url, "")
            except OSError:
                time.sleep(0.1)
            else:
                break
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def asked(url, access):
    request = urllib.request.Request(f"{url}/invoices/")
    request.add_header("Authorization", f"Bearer {access}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def answers(status, url, access, within):
    """Return whether the service answers with the status within so many seconds."""
    until = time.monotonic() + within
    while asked(url, access) != status:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("service", SERVICES)
def test_a_sign_out_is_effective_at_the_second_service_within_a_second(env, service):
    with gunicorn(env) as site, second(service, site.url) as url:
        pair = call(f"{site.url}/api/token/", CREDENTIALS)[1]
        other = call(f"{site.url}/api/token/", CREDENTIALS)[1]
        assert asked(url, pair["access"]) == asked(url, other["access"]) == 200
        assert asked(url, pair["refresh"]) == asked(url, pair["access"][:-4] + "aaaa") == 401

        def is_refused_in_time():
            pair = call(f"{site.url}/api/token/", CREDENTIALS)[1]
            assert asked(url, pair["access"]) == 200
            call(f"{site.url}/api/token/blacklist/", {"refresh": pair["refresh"]})
            return answers(401, url, pair["access"], within=1)

        # Not each of them: other tests keep the processors busy.
        assert sum(is_refused_in_time() for _ in range(5)) >= 3
        assert asked(url, other["access"]) == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_starts_later_refuses_sessions_revoked_before(env, service):
    with gunicorn(env) as site:
        pair = call(f"{site.url}/api/token/", CREDENTIALS)[1]
        call(f"{site.url}/api/token/blacklist/", {"refresh": pair["refresh"]})
        with second(service, site.url) as url:
            assert asked(url, pair["access"]) == 401


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_rotation_does_not_interrupt_the_second_service(env, service):
    with gunicorn(env) as site, second(service, site.url) as url:
        old = call(f"{site.url}/api/token/", CREDENTIALS)[1]
        assert asked(url, old["access"]) == 200
        rotate(env, "--in", "0")
        time.sleep(1.1)  # the key signs from a whole second
        new = call(f"{site.url}/api/token/", CREDENTIALS)[1]

        # It may have asked for an unknown key just now, and waits until it asks again.
        assert answers(200, url, new["access"], within=20)
        assert asked(url, old["access"]) == 200


@pytest.mark.parametrize("service", SERVICES)
def test_without_the_first_the_second_serves_until_the_feed_counts_as_silent(env, service):
    with ExitStack() as stack:
        with gunicorn(env) as site:
            pair = call(f"{site.url}/api/token/", CREDENTIALS)[1]
            patient = stack.enter_context(second(service, site.url))
            strict = stack.enter_context(second(service, site.url, FEED_MAX_SILENCE="2"))
            assert answers(200, patient, pair["access"], within=20)
            assert answers(200, strict, pair["access"], within=20)
        assert answers(503, strict, pair["access"], within=20)
        assert asked(patient, pair["access"]) == 200

        with gunicorn(env, port=site.address[1]):
            assert answers(200, strict, pair["access"], within=20)
            assert asked(patient, pair["access"]) == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_starts_while_the_first_is_down_is_503(env, service):
    with gunicorn(env) as site:
        pair = call(f"{site.url}/api/token/", CREDENTIALS)[1]
    with second(service, site.url) as url:
        assert asked(url, pair["access"]) == 503
