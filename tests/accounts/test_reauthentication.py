"""How and when a user has signed in, and what requires that it is not long ago."""

import time
from http import HTTPStatus

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache

from accounts.sign_in_methods import amr
from tests.api.test_accounts import App
from tests.support.codes import add_authenticator_app, add_recovery_codes, totp
from tests.support.devices import Device, with_csrf
from tests.support.factories import PASSWORD
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken
from token_blacklist.tokens import UntypedToken

MINUTE = 60


@pytest.fixture(autouse=True)
def no_used_codes(db, options):
    options(USER_CLAIMS=None)
    cache.clear()


def claims(device):
    return UntypedToken(device.access)


def sign_in(client, user):
    return client.post("/login/", {"login": user.email, "password": PASSWORD})


def confirm(client, then="/account/"):
    return client.post("/reauthenticate/", {"password": PASSWORD, "next": then})


def claims_of_page(client):
    """Return the claims of the access token that a script of the page gets."""
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post("/api/token/refresh/", {}, "application/json", **with_csrf())
    assert answer.status_code == HTTPStatus.OK, answer.content
    return UntypedToken(answer.json()["access"])


class TestTheMethodsOfASignIn:
    def test_of_the_api_are_the_password(self, user, device):
        with statements("SELECT", "INSERT"):
            device.log_in()

        assert claims(device)["amr"] == ["pwd"]
        assert claims(device)["auth_time"] == claims(device)["iat"]

    @pytest.mark.parametrize("kind", ["app", "recovery codes"])
    def test_of_the_api_are_the_password_and_the_code(self, user, kind):
        code = totp(add_authenticator_app(user))
        if kind == "recovery codes":
            code = add_recovery_codes(user)[0]
        device = Device(user)

        device.log_in(code=code)

        assert claims(device)["amr"] == ["pwd", "otp", "mfa"]

    @pytest.mark.sliding
    def test_of_a_sliding_token_are_the_same(self, user, device):
        answer = device.post("/api/token/sliding/", device.credentials)

        assert UntypedToken(answer.json()["token"])["amr"] == ["pwd"]

    @pytest.mark.pages
    def test_of_a_page_are_the_password_and_the_code(self, client, user):
        secret = add_authenticator_app(user)
        sign_in(client, user)
        client.post("/2fa/authenticate/", {"code": totp(secret)})

        assert claims_of_page(client)["amr"] == ["pwd", "otp", "mfa"]

    def test_of_an_app_are_the_password(self, user):
        app = App()
        app.sign_in(user)

        assert claims(app.device)["amr"] == ["pwd"]

    def test_stay_through_a_refresh_and_a_new_password(self, user):
        device = Device(user)
        device.log_in(code=totp(add_authenticator_app(user)))
        device.refresh()
        assert claims(device)["amr"] == ["pwd", "otp", "mfa"]

        device.change_password("a new long password")

        assert claims(device)["amr"] == ["pwd", "otp", "mfa"]

    @pytest.mark.parametrize(
        ("records", "values"),
        [
            ([{"method": "socialaccount", "provider": "google"}], ["fed"]),
            ([{"method": "code"}], ["otp"]),
            ([{"method": "password"}, {"method": "password"}], ["pwd"]),
            ([{"method": "mfa", "type": "webauthn", "passwordless": True}], ["pop", "mfa"]),
            (
                [{"method": "password"}, {"method": "mfa", "type": "webauthn"}],
                ["pwd", "pop", "mfa"],
            ),
            ([{"method": "password_reset"}], []),
        ],
    )
    def test_are_the_values_of_rfc_8176(self, records, values):
        assert amr(records) == values


class TestEndingSessions:
    def test_asks_for_a_recent_sign_in(self, device, phone, clock):
        clock.shift(11 * MINUTE)
        for each in (device, phone):
            each.refresh()

        answer = device.http.delete("/api/sessions/", **device.bearer)

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer.json()["code"] == "reauthentication_required"
        assert "10 minutes" in answer.json()["detail"]
        assert not BlacklistedToken.objects.exists()

    def test_is_allowed_after_the_next_sign_in(self, device, phone, clock):
        clock.shift(11 * MINUTE)
        device.log_in()

        answer = device.http.delete("/api/sessions/", **device.bearer)

        assert answer.json() == {"ended": 2}

    def test_asks_nothing_of_the_list_and_of_one_session(self, device, phone, clock):
        clock.shift(11 * MINUTE)
        device.refresh()
        other = UntypedToken(phone.refresh_token)["sid"]

        for method, path in (("get", ""), ("delete", f"{other}/")):
            answer = getattr(device.http, method)(f"/api/sessions/{path}", **device.bearer)
            assert answer.status_code == HTTPStatus.OK


class TestConfirming:
    @pytest.mark.pages
    def test_on_a_page_renews_auth_time_in_the_same_session(self, client, user, clock):
        sign_in(client, user)
        before = claims_of_page(client)
        clock.shift(11 * MINUTE)

        confirm(client)

        after = claims_of_page(client)
        assert after["sid"] == before["sid"]
        assert after["auth_time"] == int(time.time()) == before["auth_time"] + 11 * MINUTE
        assert not BlacklistedToken.objects.exists()

    @pytest.mark.pages
    def test_by_a_second_factor_renews_auth_time_and_adds_it_to_amr(self, client, user, clock):
        sign_in(client, user)
        secret = add_authenticator_app(user)
        clock.shift(11 * MINUTE)

        client.post("/2fa/reauthenticate/", {"code": totp(secret)})

        after = claims_of_page(client)
        assert (after["auth_time"], after["amr"]) == (int(time.time()), ["pwd", "otp", "mfa"])

    def test_by_an_app_returns_a_pair_of_the_same_session(self, user, clock):
        app = App()
        app.sign_in(user)
        before = claims(app.device)
        clock.shift(11 * MINUTE)

        app.confirm()

        assert claims(app.device)["auth_time"] == int(time.time())
        assert claims(app.device)["sid"] == before["sid"]
        assert app.device.refresh().status_code == HTTPStatus.OK
        assert claims(app.device)["auth_time"] == int(time.time())


SENSITIVE = {
    "another address": ("/email/", {"action_add": "", "email": "new@example.com"}),
    "an authenticator app": ("/2fa/totp/activate/", {"code": "123456"}),
    "removing the authenticator app": ("/2fa/totp/deactivate/", {}),
    "a passkey": ("/2fa/webauthn/add/", {"name": "key", "credential": "[]"}),
    "removing a passkey": ("/2fa/webauthn/keys/{key}/remove/", {}),
    "recovery codes": ("/2fa/recovery-codes/", {}),
    "new recovery codes": ("/2fa/recovery-codes/generate/", {}),
    "removing a social account": ("/3rdparty/", {"account": "{account}"}),
}


@pytest.mark.pages
@pytest.mark.parametrize("change", SENSITIVE)
def test_a_change_of_how_to_sign_in_asks_again_after_ten_minutes(client, user, clock, change):
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    account = SocialAccount.objects.create(user=user, provider="dummy", uid="1")
    sign_in(client, user)
    path, form = SENSITIVE[change]
    if path.startswith("/2fa/"):  # with a second factor, the address cannot be changed
        add_authenticator_app(user)
        add_recovery_codes(user)
        key = Authenticator.objects.create(user=user, type="webauthn", data={"name": "key"})
        path = path.format(key=key.pk)
    form = {name: value.format(account=account.pk) for name, value in form.items()}
    method = "get" if path == "/2fa/recovery-codes/" else "post"

    confirm(client)
    clock.shift(10 * MINUTE + 1)

    assert is_asked(getattr(client, method)(path, form))


@pytest.mark.pages
def test_a_change_of_how_to_sign_in_asks_only_once_in_ten_minutes(client, user, clock):
    sign_in(client, user)
    confirm(client)
    clock.shift(10 * MINUTE - 1)

    assert not is_asked(client.get("/2fa/totp/activate/"))


def is_asked(answer):
    return answer.headers.get("Location", "").startswith("/reauthenticate/")
