"""Error messages: `detail` is for the user, `code` and `messages` are for developers."""

from http import HTTPStatus

import pytest
from django.contrib.auth import get_user_model

from tests.support.devices import Device, with_csrf
from token_blacklist.exceptions import WRONG_CREDENTIALS

ENDED = "Your session has ended. Sign in again."


@pytest.fixture
def wrong_password_response(user):
    """The response to a wrong password."""
    device = Device(user)
    return device.post("/api/token/", {**device.credentials, "password": "wrong"}).json()


def test_the_wrong_credentials_error_names_the_email_address(wrong_password_response):
    typed = {"email": "e-mail address"}.get(get_user_model().USERNAME_FIELD, "username")

    assert wrong_password_response["detail"] == f"The {typed} or the password is wrong."
    assert wrong_password_response["code"] == "no_active_account"


def test_the_wrong_credentials_error_names_the_username_field_of_the_user_model(user, monkeypatch):
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "username")

    assert str(WRONG_CREDENTIALS) == "The username or the password is wrong."


def test_every_token_of_a_revoked_session_gets_the_same_detail(device):
    device.log_out()

    for answer in (device.refresh(), device.me(), device.verify(device.access)):
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer.json()["detail"] == ENDED
        assert answer.json()["messages"] == [{"message": "Token is blacklisted"}]


def test_a_malformed_token_is_token_is_invalid_in_messages(device):
    answer = device.me("nonsense").json()

    assert answer["detail"] == ENDED
    assert answer["messages"][0]["message"] == "Token is invalid"


def test_a_deactivated_users_error_says_that_the_account_is_deactivated(device):
    type(device.user).objects.filter(pk=device.user.pk).update(is_active=False)

    answers = (device.me().json(), device.refresh().json())

    assert [(answer["code"], answer["detail"]) for answer in answers] == [
        ("user_inactive", "This account is deactivated. Contact support."),
        (
            "no_active_account",
            "This account is deactivated or no longer exists. Contact support.",
        ),
    ]


def test_a_request_without_a_token_is_told_to_sign_in(device):
    answer = device.http.get("/api/me/")

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer["WWW-Authenticate"]
    assert answer.json() == {
        "detail": "You are not signed in. Sign in and try again.",
        "code": "not_authenticated",
    }


def test_a_missing_csrf_token_asks_for_a_reload_with_the_reason_in_messages(browser):
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
