"""`detail` is written for the user; what a developer needs is in `code` and `messages`."""

from http import HTTPStatus

import pytest
from django.contrib.auth import get_user_model

from tests.support.devices import Device, with_csrf
from token_blacklist.exceptions import WRONG_CREDENTIALS

ENDED = "Your session has ended. Sign in again."


@pytest.fixture
def wrong(user):
    """A device that sends the wrong password."""
    device = Device(user)
    return device.post("/api/token/", {**device.credentials, "password": "wrong"}).json()


def test_wrong_credentials_are_called_what_the_user_typed(wrong):
    typed = {"email": "e-mail address"}.get(get_user_model().USERNAME_FIELD, "username")

    assert wrong["detail"] == f"The {typed} or the password is wrong."
    assert wrong["code"] == "no_active_account"


def test_another_user_model_has_a_username(user, monkeypatch):
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "username")

    assert str(WRONG_CREDENTIALS) == "The username or the password is wrong."


def test_an_ended_session_is_one_sentence_whichever_token_comes(device):
    device.log_out()

    for answer in (device.refresh(), device.me(), device.verify(device.access)):
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer.json()["detail"] == ENDED
        assert answer.json()["messages"] == [{"message": "Token is blacklisted"}]


def test_what_is_no_token_says_so_to_the_developer(device):
    answer = device.me("nonsense").json()

    assert answer["detail"] == ENDED
    assert answer["messages"][0]["message"] == "Token is invalid"


def test_a_deactivated_user_is_told_so(device):
    type(device.user).objects.filter(pk=device.user.pk).update(is_active=False)

    answers = (device.me().json(), device.refresh().json())

    assert [(answer["code"], answer["detail"]) for answer in answers] == [
        ("user_inactive", "This account is deactivated. Contact support."),
        (
            "no_active_account",
            "This account is deactivated or no longer exists. Contact support.",
        ),
    ]


def test_without_a_token_the_user_is_asked_to_sign_in(device):
    answer = device.http.get("/api/me/")

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer["WWW-Authenticate"]
    assert answer.json() == {
        "detail": "You are not signed in. Sign in and try again.",
        "code": "not_authenticated",
    }


def test_a_missing_csrf_token_asks_for_a_reload_and_tells_the_developer_why(browser):
    answer = browser.post("/api/token/", {**browser.credentials, "transport": "cookie"})

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.json() == {
        "detail": "This page was open for too long. Reload it and try again.",
        "code": "csrf_failed",
        "messages": [{"message": "CSRF token missing."}],
    }
    ours = browser.post(
        "/api/token/", {**browser.credentials, "transport": "cookie"}, **with_csrf()
    )
    assert ours.status_code == HTTPStatus.OK
