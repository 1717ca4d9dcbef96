"""FeedAuthentication and its reader: revoked sessions, public keys, and an unavailable site."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import jwt
import pytest
from django.core.checks import run_checks
from rest_framework.test import APIRequestFactory

from tests.support.introspection import SECRET, digest
from tests.support.keys import new_key, signed_by
from token_blacklist import keys
from token_blacklist.exceptions import InvalidToken, TokenError, Unavailable
from token_blacklist.fetch import StatusError
from token_blacklist.keys import remote
from token_blacklist.services import feed_reader, revocations
from token_blacklist.services.authentication import FeedAuthentication
from token_blacklist.services.feed_reader import FeedReader
from token_blacklist.tokens import AccessToken, RefreshToken

FOREVER = {"exp": 4_000_000_000, "token_type": "access", "jti": "1", "user_id": "7"}
KEY = new_key()


@pytest.fixture
def site():
    """A fake issuing site: `answers` by path, and `asked`, its requests."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            time.sleep(self.server.delay)
            body = self.server.answers.get(self.path.partition("?")[0])
            self.send_response(200 if body is not None else 500)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.answers, server.asked, server.delay = {}, [], 0
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def feed_answer(*sessions, window=330, cursor="1.1"):
    return {"cursor": cursor, "window": window, "revoked": list(sessions)}


@pytest.fixture
def reader():
    return FeedReader("http://127.0.0.1:9/", "billing:secret", max_silence=60)


def test_the_reader_keeps_a_revoked_session_for_the_window_of_the_feed(reader, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(feed_reader.time, "monotonic", lambda: now[0])
    reader._keep(feed_answer("a", window=100))
    now[0] += 90
    reader._keep(feed_answer("b", window=100, cursor="1.2"))
    assert set(reader.ended) == {"a", "b"}
    assert reader.cursor == "1.2"

    now[0] += 20
    reader._keep(feed_answer())

    assert set(reader.ended) == {"b"}


def test_the_feed_is_silent_before_its_first_answer_and_after_a_minute_without_one(
    reader, monkeypatch
):
    now = [1000.0]
    monkeypatch.setattr(feed_reader.time, "monotonic", lambda: now[0])
    assert reader.is_silent()
    reader._keep(feed_answer())
    assert not reader.is_silent()
    now[0] += 61
    assert reader.is_silent()


def access(sid):
    return AccessToken.with_claims({**FOREVER, "sid": sid})


def test_tokens_of_a_revoked_session_are_refused_and_of_another_accepted(site, options):
    site.answers["/feed"] = feed_answer("ended")
    options(FEED_URL=f"{site.url}/feed", FEED_CLIENT="billing:secret")

    assert FeedAuthentication().get_user(access("other")).pk == "7"
    with pytest.raises(InvalidToken):
        FeedAuthentication().get_user(access("ended"))
    assert site.asked[0] == "/feed?after=&leeway=0"


@pytest.mark.parametrize("fails_open", [False, True])
def test_without_the_feed_all_tokens_are_refused_unless_feed_fails_open(
    site, options, monkeypatch, caplog, fails_open
):
    monkeypatch.setattr(feed_reader, "FIRST_ANSWER_TIMEOUT", 0.5)
    options(FEED_URL=f"{site.url}/feed", FEED_CLIENT="a:b", FEED_FAILS_OPEN=fails_open)

    if fails_open:
        assert FeedAuthentication().get_user(access("any")).pk == "7"
    else:
        with pytest.raises(Unavailable):
            FeedAuthentication().get_user(access("any"))
    assert "the revocation feed does not answer" in caplog.text


def test_a_request_is_authenticated_with_the_published_keys(site, options):
    site.answers["/feed"] = feed_answer()
    site.answers["/keys"] = {"keys": [KEY.public_jwk]}
    options(FEED_URL=f"{site.url}/feed", FEED_CLIENT="a:b", JWKS_URL=f"{site.url}/keys")
    token = signed_by(KEY, FOREVER)
    request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {token}")

    user, _token = FeedAuthentication().authenticate(request)

    assert user.pk == "7"
    assert not [m for m in run_checks() if m.id.startswith("token_blacklist")]


def test_the_published_keys_are_kept_while_the_issuing_site_is_down(
    site, options, monkeypatch, caplog
):
    site.answers["/keys"] = {"keys": [KEY.public_jwk]}
    options(JWKS_URL=f"{site.url}/keys")
    token = signed_by(KEY, FOREVER)
    assert keys.decode(token) == FOREVER
    for _ in range(3):
        keys.decode(token)
    assert site.asked == ["/keys"]

    monkeypatch.setattr(remote, "MAX_AGE", 0)
    site.answers.clear()

    assert keys.decode(token) == FOREVER
    assert "the public keys cannot be read: StatusError" in caplog.text


def test_requests_wait_while_the_keys_are_fetched_for_the_first_time(site, options):
    site.answers["/keys"] = {"keys": [KEY.public_jwk]}
    site.delay = 0.3
    options(JWKS_URL=f"{site.url}/keys")
    token = signed_by(KEY, FOREVER)

    with ThreadPoolExecutor(4) as pool:
        decoded = list(pool.map(keys.decode, [token] * 4))

    assert decoded == [FOREVER] * 4
    assert site.asked == ["/keys"]


def test_an_unknown_key_id_does_not_fetch_the_keys_at_each_request(site, options):
    site.answers["/keys"] = {"keys": [KEY.public_jwk]}
    options(JWKS_URL=f"{site.url}/keys")
    unknown = jwt.encode(FOREVER, KEY.signing, "EdDSA", headers={"kid": "unknown"})

    for _ in range(5):
        with pytest.raises(TokenError):
            keys.decode(unknown)

    assert len(site.asked) == 1


def test_a_key_that_is_no_longer_published_does_not_verify(site, options, monkeypatch):
    other = new_key()
    site.answers["/keys"] = {"keys": [KEY.public_jwk, other.public_jwk]}
    options(JWKS_URL=f"{site.url}/keys")
    token = signed_by(KEY, FOREVER)
    assert keys.decode(token) == FOREVER

    site.answers["/keys"] = {"keys": [other.public_jwk]}
    monkeypatch.setattr(remote, "MAX_AGE", 0)

    with pytest.raises(TokenError):
        keys.decode(token)


def test_a_published_key_of_an_unknown_type_is_ignored(site, options):
    site.answers["/keys"] = {"keys": [{"kty": "new", "kid": "x"}, "no key", KEY.public_jwk]}
    options(JWKS_URL=f"{site.url}/keys")

    assert keys.decode(signed_by(KEY, FOREVER)) == FOREVER


@pytest.mark.parametrize(
    "answer", [{}, {"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}, {"keys": "x"}, []]
)
def test_an_answer_without_public_keys_makes_the_service_unavailable(site, options, answer):
    site.answers["/keys"] = answer
    options(JWKS_URL=f"{site.url}/keys")

    with pytest.raises(Unavailable):
        keys.decode(jwt.encode(FOREVER, KEY.signing, "EdDSA"))


@pytest.mark.parametrize("name", ["JWKS_URL", "FEED_URL"])
def test_a_file_url_as_jwks_url_or_feed_url_is_a_check_error(options, name):
    options(**{name: "file:///etc/passwd"})

    assert "token_blacklist.E003" in {message.id for message in run_checks()}


def test_the_reader_sends_its_leeway_in_whole_seconds(site, options):
    site.answers["/feed"] = feed_answer("ended")
    options(FEED_URL=f"{site.url}/feed", FEED_CLIENT="a:b", LEEWAY=timedelta(seconds=1.5))

    FeedAuthentication().get_user(access("other"))

    assert site.asked[0] == "/feed?after=&leeway=2"


def test_the_reader_starts_over_if_the_feed_refuses_its_cursor(reader, monkeypatch):
    asked = []

    def refuse(url, headers, **limits):
        asked.append(url.partition("?")[2])
        raise StatusError(400)

    reader.cursor = "of another kind"
    monkeypatch.setattr(feed_reader, "fetch_json", refuse)

    assert [reader.read_once(), reader.read_once()] == [False, False]
    assert asked == ["after=of+another+kind&leeway=0", "after=&leeway=0"]


@pytest.fixture
def site_without_leeway(live_server, options, monkeypatch):
    """This site, and a service in the same process with a leeway of ten minutes."""
    lifetimes = {name: timedelta(minutes=5) for name in ("ACCESS", "SLIDING")}
    its_own = {f"{name}_TOKEN_LIFETIME": lifetime for name, lifetime in lifetimes.items()}
    monkeypatch.setattr(revocations, "conf", SimpleNamespace(**its_own, LEEWAY=timedelta(0)))
    options(
        INTROSPECTION_CLIENTS={"billing": [digest(SECRET)]},
        FEED_URL=f"{live_server.url}/api/token/revocations/",
        FEED_CLIENT=f"billing:{SECRET}",
        LEEWAY=timedelta(minutes=10),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seconds", [0, 329, 331, 899])
def test_a_restarted_service_refuses_revoked_sessions_whose_tokens_its_leeway_still_accepts(
    site_without_leeway, user, clock, seconds
):
    ended, live = RefreshToken.for_user(user), RefreshToken.for_user(user)
    ended_access, live_access = str(ended.access_token), str(live.access_token)
    ended.blacklist()
    clock.shift(seconds)

    def authenticate(token):
        request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {token}")
        return FeedAuthentication().authenticate(request)[0]

    with pytest.raises(InvalidToken):
        authenticate(ended_access)
    assert authenticate(live_access).pk == live["user_id"]
