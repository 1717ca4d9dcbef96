"""django-allauth's headless API, as an app uses it: each sign-in returns a pair of tokens."""

import json
from http import HTTPStatus

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.core.cache import cache

from accounts.models import verify
from tests.support.codes import (
    PERIOD,
    add_authenticator_app,
    add_recovery_codes,
    code_in,
    path_in,
    totp,
)
from tests.support.devices import Device
from tests.support.factories import PASSWORD
from token_blacklist.models import OutstandingToken

User = get_user_model()
NEW_PASSWORD = "a new and long password"


class App:
    """An app at django-allauth's headless API. `device` holds the pair that it was given."""

    def __init__(self):
        self.device = Device(None)
        self.session = ""

    def send(self, method, path, data=None, **headers):
        if self.session:
            headers["HTTP_X_SESSION_TOKEN"] = self.session
        url = f"/_allauth/app/v1/{path}"
        answer = getattr(self.device.http, method)(url, data, format="json", **headers)
        meta = answer.json().get("meta", {})
        self.session = meta.get("session_token", self.session)
        if "access_token" in meta:
            self.device.access = meta["access_token"]
            self.device.refresh_token = meta["refresh_token"]
        return answer

    def post(self, path, **data):
        return self.send("post", path, data)

    def sign_in(self, user, password=PASSWORD):
        return self.post("auth/login", email=user.email, password=password)

    def confirm(self):
        """Enter the password again, as changes of how to sign in require."""
        return self.post("auth/reauthenticate", password=PASSWORD)


@pytest.fixture
def app(db):
    cache.clear()  # the used codes
    return App()


@pytest.fixture
def verified(user):
    verify(user)
    return user


@pytest.fixture
def secret(verified):
    return add_authenticator_app(verified)


def pending(answer):
    """Return the flow that a response of the headless API is waiting for."""
    assert answer.status_code == HTTPStatus.UNAUTHORIZED, answer.content
    return [flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]


def assert_is_a_pair_of(device, user):
    """Assert that the pair is of a session of the user, can refresh, and can be blacklisted."""
    assert device.me().json()["email"] == user.email
    before = device.refresh_token
    assert device.refresh().status_code == HTTPStatus.OK
    assert device.refresh_token != before
    assert device.me().status_code == HTTPStatus.OK
    assert device.log_out().status_code == HTTPStatus.OK
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert device.me().status_code == HTTPStatus.UNAUTHORIZED


def code_of(answer):
    assert answer.status_code == HTTPStatus.UNAUTHORIZED, answer.content
    return answer.json()["code"]


class TestSigningUp:
    def test_a_sign_up_is_completed_by_the_code_of_the_e_mail(
        self, app, verify_by_code, mailoutbox
    ):
        new = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}

        assert pending(app.post("auth/signup", **new)) == ["verify_email"]
        assert app.device.access == ""
        answer = app.post("auth/email/verify", key=code_in(mailoutbox[0]))

        assert answer.status_code == HTTPStatus.OK
        user = User.objects.get(email="ada@example.com")
        assert user.name == "Ada"
        assert OutstandingToken.objects.filter(user=user).count() == 1
        assert_is_a_pair_of(app.device, user)

    def test_a_sign_up_with_a_known_address_is_answered_like_any_other(
        self, app, verify_by_code, verified, mailoutbox
    ):
        answers = [
            app.post("auth/signup", email=email, password=PASSWORD)
            for email in (verified.email, "ada@example.com")
        ]

        known, new = ([flow["id"] for flow in one.json()["data"]["flows"]] for one in answers)
        assert known == new
        assert [one.status_code for one in answers] == [HTTPStatus.UNAUTHORIZED] * 2
        assert mailoutbox[0].to == [verified.email]
        assert "You already have an account" in mailoutbox[0].subject

    def test_the_token_endpoint_requires_a_verified_address(
        self, app, verify_by_code, user, mailoutbox
    ):
        device = Device(user)
        assert code_of(device.log_in()) == "email_not_verified"

        assert pending(app.sign_in(user)) == ["verify_email"]
        app.post("auth/email/verify", key=code_in(mailoutbox[0]))

        assert device.log_in().status_code == HTTPStatus.OK
        assert_is_a_pair_of(device, user)


class TestASecondFactor:
    def test_the_token_endpoint_asks_for_the_code_and_accepts_it_once(
        self, app, verified, secret, clock
    ):
        device = Device(verified)

        assert code_of(device.log_in()) == "mfa_required"
        assert code_of(device.log_in(code="000000")) == "incorrect_code"
        code = totp(secret)
        assert device.log_in(code=code).status_code == HTTPStatus.OK

        clock.shift(PERIOD)
        assert code_of(device.log_in(code=code)) == "incorrect_code"
        assert device.log_in(code=totp(secret)).status_code == HTTPStatus.OK
        assert_is_a_pair_of(device, verified)

    @pytest.mark.parametrize("kind", ["totp", "recovery"])
    def test_the_headless_answer_has_the_pair_only_after_the_code(
        self, app, verified, secret, kind
    ):
        code = totp(secret) if kind == "totp" else add_recovery_codes(verified)[0]
        assert pending(app.sign_in(verified)) == ["mfa_authenticate"]
        assert app.device.access == ""
        assert not OutstandingToken.objects.exists()
        wrong = app.post("auth/2fa/authenticate", code="000000")
        assert wrong.status_code == HTTPStatus.BAD_REQUEST

        answer = app.post("auth/2fa/authenticate", code=code)

        assert answer.status_code == HTTPStatus.OK
        assert OutstandingToken.objects.count() == 1
        again = App()
        again.sign_in(verified)
        assert again.post("auth/2fa/authenticate", code=code).status_code == HTTPStatus.BAD_REQUEST
        assert_is_a_pair_of(app.device, verified)


def test_a_forgotten_password_is_replaced_by_the_link_of_the_e_mail(
    app, verified, device, mailoutbox
):
    assert app.post("auth/password/request", email=verified.email).status_code == HTTPStatus.OK
    key = path_in(mailoutbox[0]).rstrip("/").rpartition("/")[2]
    read = app.send("get", "auth/password/reset", HTTP_X_PASSWORD_RESET_KEY=key)
    assert read.status_code == HTTPStatus.OK
    answer = app.post("auth/password/reset", key=key, password=NEW_PASSWORD)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED  # a reset does not sign in
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    again = app.post("auth/password/reset", key=key, password="another long password")
    assert again.status_code == HTTPStatus.BAD_REQUEST
    assert app.sign_in(verified, NEW_PASSWORD).status_code == HTTPStatus.OK
    assert_is_a_pair_of(app.device, verified)


def test_a_social_account_signs_in_by_its_token(app):
    facts = {"id": 7, "email": "ada@example.com", "email_verified": True, "first_name": "Ada"}
    token = {"client_id": "dummy", "id_token": json.dumps(facts)}

    for _ in range(2):  # the first creates the account
        answer = app.post("auth/provider/token", provider="dummy", process="login", token=token)
        assert answer.status_code == HTTPStatus.OK
        user = User.objects.get(email="ada@example.com")
        assert user.name == "Ada"
        assert_is_a_pair_of(app.device, user)
        app = App()


@pytest.mark.parametrize("is_verified_there", [True, False])
def test_a_social_account_with_the_address_of_a_user_does_not_get_into_their_account(
    app, verify_by_code, verified, mailoutbox, is_verified_there
):
    facts = {"id": 7, "email": verified.email, "email_verified": is_verified_there}
    token = {"client_id": "dummy", "id_token": json.dumps(facts)}

    answer = app.post("auth/provider/token", provider="dummy", process="login", token=token)
    if "provider_signup" in pending(answer):
        app.post("auth/provider/signup", email=verified.email)

    assert app.device.access == ""
    assert not OutstandingToken.objects.exists()
    assert not SocialAccount.objects.exists()


class TestTheEndOfASession:
    def test_revoking_it_elsewhere_ends_the_headless_session_immediately(
        self, app, verified, device, mailoutbox
    ):
        app.sign_in(verified)
        assert app.send("get", "auth/session").status_code == HTTPStatus.OK
        row = OutstandingToken.objects.latest("pk")

        device.http.delete(f"/api/sessions/{row.session_id}/", **device.bearer)

        ended = app.send("get", "auth/session").status_code
        assert ended in {HTTPStatus.UNAUTHORIZED, HTTPStatus.GONE}
        changed = app.post("account/email", email="thief@example.com").status_code
        assert changed in {HTTPStatus.UNAUTHORIZED, HTTPStatus.GONE}
        assert not mailoutbox
        assert app.device.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert device.me().status_code == HTTPStatus.OK

    def test_signing_out_at_the_headless_api_revokes_the_pair(self, app, verified):
        app.sign_in(verified)

        answer = app.send("delete", "auth/session")

        # The headless API's status for "signed out".
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert app.device.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert app.device.me().status_code == HTTPStatus.UNAUTHORIZED

    def test_a_new_password_revokes_every_other_session_and_returns_a_new_pair(
        self, app, verified, device
    ):
        other = App()
        other.sign_in(verified)
        app.sign_in(verified)
        former = app.device.refresh_token

        answer = app.post(
            "account/password/change", current_password=PASSWORD, new_password=NEW_PASSWORD
        )

        assert answer.status_code == HTTPStatus.OK
        assert app.device.refresh_token != former
        assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert other.device.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert other.send("get", "auth/session").status_code != HTTPStatus.OK
        assert app.device.refresh(former).status_code == HTTPStatus.UNAUTHORIZED
        assert app.send("get", "auth/session").status_code == HTTPStatus.OK
        assert_is_a_pair_of(app.device, verified)

    def test_the_headless_refresh_endpoint_rotates_the_refresh_token(self, app, verified):
        app.sign_in(verified)

        answer = app.post("tokens/refresh", refresh_token=app.device.refresh_token)

        assert answer.status_code == HTTPStatus.OK
        pair = answer.json()["data"]
        app.device.access, app.device.refresh_token = pair["access_token"], pair["refresh_token"]
        assert_is_a_pair_of(app.device, verified)
        ended = app.post("tokens/refresh", refresh_token=app.device.refresh_token)
        assert ended.status_code == HTTPStatus.BAD_REQUEST
