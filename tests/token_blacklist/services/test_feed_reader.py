"""FeedAuthentication and its reader: revoked sessions, public keys, and an unavailable site."""

from datetime import timedelta
from types import SimpleNamespace

import jwt
import pytest
from django.core.checks import run_checks
from rest_framework.test import APIRequestFactory

from tests.support.introspection import SECRET, digest
from tests.support.issuer import WRONG, issuing, right
from tests.support.keys import new_key, signed_by
from token_blacklist import keys
from token_blacklist.exceptions import InvalidToken, TokenError, Unavailable
from token_blacklist.keys import remote
from token_blacklist.services import feed_reader, revocations
from token_blacklist.services.authentication import FeedAuthentication
from token_blacklist.services.feed_reader import FeedReader
from token_blacklist.tokens import AccessToken, RefreshToken

FOREVER = {"exp": 4_000_000_000, "token_type": "access", "jti": "1", "user_id": "7"}
KEY = new_key()


@pytest.fixture
def site():
    """A fake issuing site, with its answers by path."""
    with issuing() as site:
        yield site


def feed_answer(*sessions, window=330, cursor="1.1"):
    return {"cursor": cursor, "window": window, "revoked": list(sessions)}


@pytest.fixture
def reader(site):
    return FeedReader(f"{site.url}/feed", "billing:secret", max_silence=60)


def test_the_reader_keeps_a_revoked_session_for_the_window_of_the_feed(site, reader, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(feed_reader.time, "monotonic", lambda: now[0])
    site.answers["/feed"] = [
        right(feed_answer("a", window=100)),
        right(feed_answer("b", window=100, cursor="1.2")),
        right(feed_answer()),
    ]

    reader.read_once()
    now[0] += 90
    reader.read_once()
    assert reader.ended.keys() == {"a", "b"}
    now[0] += 20
    reader.read_once()

    assert reader.ended.keys() == {"b"}
    assert [line.split("after=")[1].split("&")[0] for line in site.asked] == ["", "1.1", "1.2"]


def access(sid):
    return AccessToken.with_claims({**FOREVER, "sid": sid})


def test_tokens_of_a_revoked_session_are_refused_and_of_another_accepted(site, options):
    site.answers["/feed"] = [right(feed_answer("ended"))]
    options(FEED_URL=f"{site.url}/feed", FEED_CLIENT="billing:secret")

    assert FeedAuthentication().get_user(access("other")).pk == "7"
    with pytest.raises(InvalidToken):
        FeedAuthentication().get_user(access("ended"))
    assert site.asked[0].startswith("GET /feed?after=&leeway=0 ")


@pytest.mark.parametrize("fails_open", [False, True])
def test_without_the_feed_all_tokens_are_refused_unless_feed_fails_open(
    site, options, monkeypatch, caplog, fails_open
):
    monkeypatch.setattr(feed_reader, "FIRST_ANSWER_TIMEOUT", 0.1)
    options(FEED_URL=f"{site.url}/feed", FEED_CLIENT="a:b", FEED_FAILS_OPEN=fails_open)

    if fails_open:
        assert FeedAuthentication().get_user(access("any")).pk == "7"
    else:
        with pytest.raises(Unavailable):
            FeedAuthentication().get_user(access("any"))
    assert "the revocation feed does not answer" in caplog.text


def test_a_request_is_authenticated_with_the_published_keys(site, options):
    site.answers["/feed"] = [right(feed_answer())]
    site.answers["/keys"] = [right({"keys": [KEY.public_jwk]})]
    options(FEED_URL=f"{site.url}/feed", FEED_CLIENT="a:b", JWKS_URL=f"{site.url}/keys")
    token = signed_by(KEY, FOREVER)
    request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {token}")

    user, _token = FeedAuthentication().authenticate(request)

    assert user.pk == "7"
    assert not [m for m in run_checks() if m.id.startswith("token_blacklist")]


def test_the_published_keys_are_kept_while_the_issuing_site_is_down(
    site, options, monkeypatch, caplog
):
    site.answers["/keys"] = [right({"keys": [KEY.public_jwk]})]
    options(JWKS_URL=f"{site.url}/keys")
    token = signed_by(KEY, FOREVER)
    assert keys.decode(token) == FOREVER
    for _ in range(3):
        keys.decode(token)
    assert site.times_asked("/keys") == 1

    monkeypatch.setattr(remote, "MAX_AGE", 0)
    site.answers.clear()

    assert keys.decode(token) == FOREVER
    assert "the public keys cannot be read: " in caplog.text


def test_an_unknown_key_id_does_not_fetch_the_keys_at_each_request(site, options):
    site.answers["/keys"] = [right({"keys": [KEY.public_jwk]})]
    options(JWKS_URL=f"{site.url}/keys")
    unknown = jwt.encode(FOREVER, KEY.signing, "EdDSA", headers={"kid": "unknown"})

    for _ in range(5):
        with pytest.raises(TokenError):
            keys.decode(unknown)

    assert site.times_asked("/keys") == 1


def test_a_key_that_is_no_longer_published_does_not_verify(site, options, monkeypatch):
    other = new_key()
    site.answers["/keys"] = [right({"keys": [KEY.public_jwk, other.public_jwk]})]
    options(JWKS_URL=f"{site.url}/keys")
    token = signed_by(KEY, FOREVER)
    assert keys.decode(token) == FOREVER

    site.answers["/keys"] = [right({"keys": [other.public_jwk]})]
    monkeypatch.setattr(remote, "MAX_AGE", 0)

    with pytest.raises(TokenError):
        keys.decode(token)


def test_a_published_key_of_an_unknown_type_is_ignored(site, options):
    site.answers["/keys"] = [
        right({"keys": [{"kty": "new", "kid": "x"}, "no key", KEY.public_jwk]})
    ]
    options(JWKS_URL=f"{site.url}/keys")

    assert keys.decode(signed_by(KEY, FOREVER)) == FOREVER


def test_the_reader_starts_over_if_the_feed_refuses_its_cursor(site, reader):
    site.answers["/feed"] = [WRONG["refused"]]
    reader.cursor = "of another kind"

    assert [reader.read_once(), reader.read_once()] == [False, False]

    cursors = [line.split("after=")[1].split("&")[0] for line in site.asked]
    assert cursors == ["of+another+kind", ""]


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
@pytest.mark.parametrize("seconds", [0, 899])
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
