"""Sliding tokens on this site: accepted beside access tokens, and in the list of sessions."""

from datetime import timedelta

from tests.accounts.test_sessions import end, listed
from tests.support.devices import Device
from token_blacklist.tokens import SlidingToken


def test_a_sliding_tokens_session_is_listed_as_current(user, options):
    options(
        AUTH_TOKEN_CLASSES=("token_blacklist.tokens.SlidingToken",),
        SLIDING_TOKEN_LIFETIME=timedelta(hours=1),
    )
    tablet = Device(user)
    for _sign_in in range(2):
        answer = tablet.post("/api/token/sliding/", tablet.credentials)
        tablet.access = answer.json()["token"]

    assert [s["current"] for s in listed(tablet)] == [True, False]
    assert end(tablet).json() == {"ended": 1}
    assert listed(tablet)[0]["current"]


def test_the_session_of_simple_jwts_sliding_token_is_current_too(user, options):
    options(AUTH_TOKEN_CLASSES=("token_blacklist.tokens.SlidingToken",))
    token = SlidingToken.for_user(user)
    del token["sid"]
    tablet = Device(user)
    tablet.access = str(token)

    assert [s["current"] for s in listed(tablet)] == [True]
    assert end(tablet).json() == {"ended": 0}
