"""A service survives every invalid answer of the issuing site, and reads the next valid one."""

import importlib.util
import os
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from tests.support.checkout import ROOT
from tests.support.issuer import WRONG, issuing, right
from tests.support.keys import new_key, signed_by
from tests.support.threads import end_threads, feed_readers
from token_blacklist.conf import conf
from token_blacklist.keys import remote
from token_blacklist.keys.remote import remote_keys, remote_set
from token_blacklist.services import feed_reader
from token_blacklist.services.authentication import FeedAuthentication

# The tests end threads by SystemExit, which Python lets pass without a word.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

KEY = new_key()
FEED, KEYS = "/api/token/revocations/", "/.well-known/jwks.json"
SECONDS = 0.4
WRONG_FEEDS = [
    {"window": 330, "revoked": []},
    {"cursor": "1.1", "revoked": []},
    {"cursor": "1.1", "window": 330},
    {"cursor": None, "window": 330, "revoked": []},
    {"cursor": ["1.1"], "window": 330, "revoked": []},
    {"cursor": 1.1, "window": 330, "revoked": []},
    {"cursor": "1.1", "window": "330", "revoked": []},
    {"cursor": "1.1", "window": True, "revoked": []},
    {"cursor": "1.1", "window": float("nan"), "revoked": []},
    {"cursor": "1.1", "window": 10**400, "revoked": []},
    {"cursor": "1.1", "window": -1, "revoked": []},
    {"cursor": "1.1", "window": 330, "revoked": "abc"},
    {"cursor": "1.1", "window": 330, "revoked": {"a": 1}},
    {"cursor": "1.1", "window": 330, "revoked": None},
    {"cursor": "1.1", "window": 330, "revoked": [["a"]]},
]
WRONG_KEYS = [
    {"keys": []},
    {"keys": "abc"},
    {"keys": None},
    {"keys": [7]},
    {"keys": [{"kid": "x"}]},
]
INVALID = {
    FEED: [*WRONG.values(), *map(right, WRONG_FEEDS)],
    KEYS: [*WRONG.values(), *map(right, WRONG_KEYS)],
}
A_FEW = ("cut off", "continue without an end", "a redirect", "slow body", "a list")


def told(*sessions):
    return right({"cursor": "1.1", "window": 330, "revoked": list(sessions)})


@pytest.fixture
def issuer():
    with issuing() as issuer:
        issuer.answers |= {FEED: [told("ended")], KEYS: [right({"keys": [KEY.public_jwk]})]}
        yield issuer


def access(sid):
    claims = {"exp": 4_000_000_000, "token_type": "access", "jti": "1", "user_id": "7", "sid": sid}
    return signed_by(KEY, claims)


class Invoices(APIView):
    authentication_classes = (FeedAuthentication,)

    def get(self, request):
        return Response({"invoices_of": request.user.pk})


@pytest.fixture
def short_intervals(monkeypatch):
    """Read the feed often, with short timeouts."""
    soon = {
        "POLL_INTERVAL": 0.02,
        "RETRY_INTERVAL": 0.02,
        "FIRST_ANSWER_TIMEOUT": 0.3,
        "TIMEOUT": SECONDS,
    }
    for name, value in soon.items():
        monkeypatch.setattr(feed_reader, name, value)
    yield
    end_threads(feed_reader, feed_readers())


@pytest.fixture
def django_service(short_intervals, issuer, options, monkeypatch):
    """A view with FeedAuthentication; the public keys are read at each request."""
    for name, value in {"MAX_AGE": 0.02, "RETRY_INTERVAL": 0.02}.items():
        monkeypatch.setattr(remote, name, value)
    monkeypatch.setattr(remote, "RESPONSE_TIMEOUT", SECONDS)
    options(FEED_URL=f"{issuer.url}{FEED}", JWKS_URL=f"{issuer.url}{KEYS}", FEED_CLIENT="billing:s")
    view = Invoices.as_view()

    def ask(sid):
        request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {access(sid)}")
        return view(request).status_code

    return ask


@pytest.fixture
def flask_service(short_intervals, issuer, monkeypatch):
    monkeypatch.setenv("ISSUER", issuer.url)
    monkeypatch.setenv("FEED_CLIENT", "billing:s")
    file = ROOT / "examples" / "second_service" / "flask_app.py"
    spec = importlib.util.spec_from_file_location("flask_app", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    soon = {
        "KEYS_INTERVAL": 0.02,
        "RETRY_INTERVAL": 0.02,
        "FIRST_KEYS_TIMEOUT": 0.3,
        "RESPONSE_TIMEOUT": SECONDS,
    }
    for name, value in soon.items():
        monkeypatch.setattr(module, name, value)
    http = module.application.test_client()

    def ask(sid):
        header = {"Authorization": f"Bearer {access(sid)}"}
        return http.get("/invoices/", headers=header).status_code

    yield ask
    if module.public_keys.thread.ident:
        end_threads(module, [module.public_keys.thread])


@pytest.fixture(params=["django", "flask"])
def service(request):
    return request.getfixturevalue(f"{request.param}_service")


def reaches_status(status, service, sid, *, over=(503,)):
    """Return whether the service answers with the status in time, and before only with `over`."""
    until = time.monotonic() + 5
    while (answered := service(sid)) != status:
        if answered not in over or time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def has_traceback(caplog):
    return any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("wrong", A_FEW)
@pytest.mark.parametrize("path", [FEED, KEYS])
def test_a_service_that_starts_with_an_invalid_answer_is_503_until_a_valid_one(
    issuer, service, path, wrong, caplog
):
    issuer.answers[path].insert(0, WRONG[wrong])

    assert reaches_status(200, service, "live")
    assert service("ended") == 401
    assert has_traceback(caplog)
    assert not any("/stolen" in line for line in issuer.asked)


@pytest.mark.parametrize("path", [FEED, KEYS])
def test_a_service_keeps_its_state_through_invalid_answers_and_reads_the_next_valid_one(
    issuer, service, path
):
    assert reaches_status(200, service, "live")
    valid = issuer.answers[path]
    issuer.answers[path] = list(INVALID[path])

    enough = issuer.times_asked(path) + len(INVALID[path]) + 1
    while (asked := issuer.times_asked(path)) < enough:
        left = f"at the answer before the last {enough - asked}"
        assert (service("live"), service("ended")) == (200, 401), left
    issuer.answers |= {path: valid, FEED: [told("ended", "later")]}

    assert reaches_status(401, service, "later", over=(200,))


def test_a_stopped_reader_thread_is_started_again(issuer, service, monkeypatch):
    assert reaches_status(200, service, "live")
    (gone,) = feed_readers()
    end_threads(feed_reader, [gone])
    issuer.answers[FEED] = [told("ended", "later")]

    assert reaches_status(401, service, "later", over=(200,))
    assert len(feed_readers()) == 1


def fork(act):
    """Call `act` in a fork, which exits with 0 if it returns True; return the fork's pid."""
    with warnings.catch_warnings():
        # Forking with other threads is intended here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = 2
        try:
            code = 0 if act() else 1
        finally:
            os._exit(code)
    return child


def test_a_forked_process_reads_the_feed_itself(issuer, service):
    assert reaches_status(200, service, "live")

    child = fork(lambda: reaches_status(401, service, "later", over=(200,)))
    issuer.answers[FEED] = [told("ended", "later")]

    assert os.waitpid(child, 0)[1] == 0


def test_a_fork_reads_the_keys_if_its_parent_held_the_lock(issuer, options):
    options(JWKS_URL=f"{issuer.url}{KEYS}")
    client = remote_keys(conf.JWKS_URL, os.getpid())

    with client.lock:
        child = fork(lambda: len(remote_set(conf.JWKS_URL).keys) == 1)

    assert os.waitpid(child, 0)[1] == 0


def test_a_service_that_cannot_start_a_thread_is_503_until_it_can(
    issuer, service, monkeypatch, caplog
):
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("no thread")))
        assert service("live") == 503
        assert has_traceback(caplog)

    assert reaches_status(200, service, "live")


def test_concurrent_requests_wait_for_one_fetch_of_slow_keys(issuer, django_service):
    issuer.answers[KEYS] = [WRONG["slow body"]]
    began = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(django_service, ["live"] * 8))

    assert statuses == [503] * 8
    assert time.monotonic() - began < 6 * SECONDS  # and not 8


def test_only_the_first_requests_wait_for_the_feeds_first_answer(issuer, service):
    issuer.answers[FEED] = [WRONG["closed"]]
    began = time.monotonic()

    assert [service("live") for _ in range(10)] == [503] * 10
    assert time.monotonic() - began < 4 * feed_reader.FIRST_ANSWER_TIMEOUT
