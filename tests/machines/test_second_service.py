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

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def env(tmp_path_factory, django_db_setup, django_db_blocker):
    folder = tmp_path_factory.mktemp("issuer")
    with django_db_blocker.unblock(), database(folder) as url:
        digest = hashlib.sha256(SECRET.encode()).hexdigest()
        shared = environment(
            folder,
            DATABASE_URL=url,
            JWT_KEYS_FILE=str(folder / "keys.json"),
            INTROSPECTION_CLIENTS=f"billing:{digest}",
        )
        rotate(shared)
        prepare(shared)
        yield shared


@pytest.fixture(scope="module")
def site(env):
    """The site that issues the tokens."""
    with gunicorn(env, workers=2) as server:
        yield server


@pytest.fixture(scope="module", params=SERVICES)
def service(request, site):
    """The address of a second service, which runs beside the site."""
    with second(request.param, site.url) as url:
        yield url


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


def signed_in(site):
    return call(f"{site.url}/api/token/", CREDENTIALS)[1]


def sign_out(site, pair):
    assert call(f"{site.url}/api/token/blacklist/", {"refresh": pair["refresh"]})[0] == 200


def test_a_sign_out_is_effective_at_the_second_service_within_a_second(site, service):
    other = signed_in(site)
    assert asked(service, other["access"]) == 200
    assert asked(service, other["refresh"]) == asked(service, other["access"][:-4] + "aaaa") == 401

    def is_refused_in_time():
        pair = signed_in(site)
        assert asked(service, pair["access"]) == 200
        sign_out(site, pair)
        return answers(401, service, pair["access"], within=1)

    # Not each of them: other tests keep the processors busy.
    assert sum(is_refused_in_time() for _ in range(5)) >= 3
    assert asked(service, other["access"]) == 200


def test_a_key_rotation_does_not_interrupt_the_second_service(env, site, service):
    old = signed_in(site)
    assert asked(service, old["access"]) == 200
    rotate(env, "--in", "0")
    time.sleep(1.1)  # the key signs from a whole second
    new = signed_in(site)

    # It may have asked for an unknown key just now, and waits until it asks again.
    assert answers(200, service, new["access"], within=20)
    assert asked(service, old["access"]) == 200


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_starts_later_refuses_sessions_revoked_before(site, name):
    pair = signed_in(site)
    sign_out(site, pair)

    with second(name, site.url) as url:
        assert asked(url, pair["access"]) == 401


@pytest.mark.parametrize("name", SERVICES)
def test_without_the_first_the_second_serves_until_the_feed_counts_as_silent(env, name):
    with ExitStack() as stack:
        with gunicorn(env, workers=1) as site:
            pair = signed_in(site)
            patient = stack.enter_context(second(name, site.url))
            strict = stack.enter_context(second(name, site.url, FEED_MAX_SILENCE="2"))
            assert answers(200, patient, pair["access"], within=20)
            assert answers(200, strict, pair["access"], within=20)
        assert answers(503, strict, pair["access"], within=20)
        assert asked(patient, pair["access"]) == 200

        with gunicorn(env, workers=1, port=site.address[1]):
            assert answers(200, strict, pair["access"], within=20)
            assert asked(patient, pair["access"]) == 200
