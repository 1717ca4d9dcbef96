"""`remember`: with false, a session is short and its cookie ends with the browser."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.utils import timezone

from tests.support.devices import Device, with_csrf
from token_blacklist.clients import remembering
from token_blacklist.models import OutstandingToken
from token_blacklist.tokens import AccessToken, RefreshToken

COOKIE = "refresh_token"
HOUR = 3600


@pytest.fixture(autouse=True)
def lifetimes(options):
    options(
        REFRESH_TOKEN_LIFETIME=timedelta(days=1),
        SESSION_LIFETIME=timedelta(days=30),
        SHORT_SESSION_LIFETIME=timedelta(hours=12),
    )


@pytest.fixture
def short(user, clock):
    """A device that has signed in with remember=False."""
    device = Device(user)
    assert device.log_in(remember=False).status_code == HTTPStatus.OK
    return device


def expiry():
    return OutstandingToken.objects.get().expires_at


def end_of_short():
    return OutstandingToken.objects.get().created_at + timedelta(hours=12)


def test_a_session_expires_the_short_lifetime_after_the_sign_in_in_any_case(short, clock):
    end = end_of_short()
    assert expiry() == end

    for _ in range(2):
        clock.shift(5 * HOUR)
        assert short.refresh().status_code == HTTPStatus.OK
        assert expiry() == RefreshToken(short.refresh_token).timestamp("exp") == end
    clock.shift(2 * HOUR)

    assert short.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert short.me().status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    ("name", "hours"), [("REFRESH_TOKEN_LIFETIME", 2), ("SESSION_LIFETIME", 3)]
)
def test_shorter_refresh_and_session_lifetimes_still_apply(user, options, name, hours):
    options(**{name: timedelta(hours=hours)})
    Device(user).log_in(remember=False)

    row = OutstandingToken.objects.get()
    assert row.expires_at == row.created_at + timedelta(hours=hours)


@pytest.mark.parametrize("extra", [{}, {"remember": "true"}])
def test_a_session_is_remembered_by_default(user, clock, extra):
    device = Device(user)
    device.log_in(**extra)

    assert expiry() == timezone.now().replace(microsecond=0) + timedelta(days=1)
    assert "remember" not in RefreshToken(device.refresh_token)


def test_a_form_can_have_the_field(user):
    device = Device(user)
    form = {**device.credentials, "remember": "false"}

    answer = device.http.post("/api/token/", form, format="multipart")

    assert RefreshToken(answer.json()["refresh"])["remember"] is False


@pytest.mark.parametrize("value", ["perhaps", None, []])
def test_a_value_that_is_not_a_boolean_is_refused(user, value):
    answer = Device(user).log_in(remember=value)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json().keys() == {"remember"}
    assert not OutstandingToken.objects.exists()


def test_the_claim_survives_a_refresh(short):
    for _ in range(2):
        assert RefreshToken(short.refresh_token)["remember"] is False
        assert "remember" not in AccessToken(short.access)
        short.refresh()


@pytest.mark.parametrize("remember", [True, False])
def test_the_cookie_is_a_session_cookie_unless_remember_is_set(browser, remember):
    data = {**browser.credentials, "transport": "cookie", "remember": remember}
    answers = [
        browser.post("/api/token/", data, **with_csrf()),
        browser.post("/api/token/refresh/", {}, **with_csrf()),
        browser.post("/api/token/refresh/", {}, **with_csrf()),
    ]

    lasts = 24 * HOUR if remember else ""
    assert [answer.status_code for answer in answers] == [HTTPStatus.OK] * 3
    assert [answer.cookies[COOKIE]["max-age"] for answer in answers] == [lasts] * 3
    assert [bool(answer.cookies[COOKIE]["expires"]) for answer in answers] == [remember] * 3


def test_for_user_opens_a_short_session_inside_remembering(user):
    with remembering(False):
        short = RefreshToken.for_user(user)

    assert short["remember"] is False
    assert "remember" not in RefreshToken.for_user(user)


def test_without_the_lists_the_cookie_is_a_session_cookie_as_well(browser, settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "token_blacklist"]
    data = {**browser.credentials, "transport": "cookie", "remember": False}
    first = browser.post("/api/token/", data, **with_csrf())
    second = browser.post("/api/token/refresh/", {}, **with_csrf())

    assert [answer.cookies[COOKIE]["max-age"] for answer in (first, second)] == ["", ""]
