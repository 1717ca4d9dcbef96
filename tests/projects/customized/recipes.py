"""The claims of docs/customizing.md and allauth.md. Runs in the copy of test_customizing.py."""

import time
from http import HTTPStatus

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client

from accounts.models import User
from config import settings as site
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.conf import conf
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import AccessToken, RefreshToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(user):
    """A device that is signed in: the endpoint that takes a password is closed."""
    device = Device(user)
    refresh = RefreshToken.for_user(user)
    device.access, device.refresh_token = str(refresh.access_token), str(refresh)
    return device


def test_a_new_role_is_in_the_next_access_token(user, device):
    user.groups.add(Group.objects.create(name="Buyers"))

    assert device.refresh().status_code == HTTPStatus.OK

    assert AccessToken(device.access)["roles"] == ["Buyers"]
    assert "roles" not in RefreshToken(device.refresh_token)


def test_a_user_reads_and_changes_the_new_field(user, device):
    answer = device.http.patch("/api/me/", {"phone": "+49 30 1234"}, format="json", **device.bearer)

    assert answer.status_code == HTTPStatus.OK
    assert device.me().json()["phone"] == "+49 30 1234"
    user.refresh_from_db()
    assert user.phone == "+49 30 1234"


def test_the_admin_shows_the_new_field(user, client):
    client.force_login(UserFactory(admin=True))

    assert 'name="phone"' in client.get(f"/admin/accounts/user/{user.pk}/change/").text


def test_the_page_is_there(client):
    assert "<h1>Orders</h1>" in client.get("/orders/").text
    assert "csrftoken" in client.cookies


def test_a_french_browser_reads_french(client):
    page = client.get("/", headers={"accept-language": "fr"}).text

    assert '<html lang="fr"' in page
    assert "Se connecter" in page


def test_fraud_ends_every_session_for_the_new_reason(user, device, client):
    from shop.fraud import report_fraud

    assert report_fraud(user) == 1

    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert BlacklistedToken.objects.get().reason == "fraud"
    client.force_login(UserFactory(admin=True))
    records = client.get("/admin/token_blacklist/blacklistedtoken/?reason__exact=fraud").text
    assert "a payment was fraudulent" in records


def test_users_who_are_deactivated_by_code_stay_signed_out(user, device):
    from shop.accounts import deactivate

    deactivate("example.com")
    User.objects.update(is_active=True)

    assert device.me().status_code == device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert BlacklistedToken.objects.get().reason == "deactivated"


def test_orders_above_the_rate_are_refused(device, settings):
    from shop.models import Order

    rates = {"orders": "2/hour"}
    assert site.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["orders"] == "30/hour"
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}

    def order():
        answer = device.http.post("/api/orders/", {"item": "Tea"}, format="json", **device.bearer)
        return answer.status_code

    assert [order(), order(), order()] == [201, 201, 429]
    assert Order.objects.count() == 2
    assert device.http.get("/api/orders/", **device.bearer).status_code == HTTPStatus.OK


def test_an_old_hash_is_replaced_at_the_sign_in_and_no_session_revoked(user, device, settings):
    settings.PASSWORD_HASHERS = site.PASSWORD_HASHERS
    hasher = Argon2PasswordHasher()
    old = hasher.encode(PASSWORD, hasher.salt())
    User.objects.filter(pk=user.pk).update(password=old)

    assert Browser(user).sign_in().headers["Location"] == "/signed-in/"

    user.refresh_from_db()
    assert user.password.startswith("scrypt$")
    assert device.me().status_code == HTTPStatus.OK


def test_the_new_text_is_in_the_e_mail(client):
    body = {"email": "ada@example.com", "password": "a long enough password"}

    client.post("/api/register/", body, content_type="application/json")

    assert "Welcome aboard!" in mail.outbox[0].body


class Browser(Client):
    """A browser at allauth's pages, under the CSRF check."""

    def __init__(self, user):
        super().__init__(enforce_csrf_checks=True)
        self.user = user

    def send(self, path, data):
        csrf = self.cookies["csrftoken"].value
        return self.post(path, {**data, "csrfmiddlewaretoken": csrf})

    def sign_in(self):
        self.get("/login/", follow=True)
        return self.send("/accounts/login/", {"login": self.user.email, "password": PASSWORD})

    def call(self, path, **headers):
        """Send a script's request."""
        return self.post(path, content_type="application/json", headers=headers)

    def exchange(self):
        self.get("/signed-in/")
        return self.call("/signed-in/tokens/", **self.csrf)

    @property
    def csrf(self):
        return {"x-csrftoken": self.cookies["csrftoken"].value}


@pytest.fixture
def secret(user):
    """The user's second factor."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_allauths_sign_in_is_exchanged_for_tokens_that_can_be_blacklisted(user):
    browser = Browser(user)
    assert browser.sign_in().headers["Location"] == "/signed-in/"

    answer = browser.exchange()

    assert answer.status_code == HTTPStatus.OK
    assert list(answer.json()) == ["access"]
    assert answer["Cache-Control"] == "no-store"
    device = Device(user)
    device.access = answer.json()["access"]
    device.refresh_token = browser.cookies[conf.REFRESH_COOKIE_NAME].value
    assert device.me().json()["email"] == user.email
    assert device.refresh().status_code == HTTPStatus.OK
    assert device.log_out().status_code == HTTPStatus.OK
    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED


def test_the_cookie_of_the_exchange_refreshes_under_the_csrf_check(user):
    browser = Browser(user)
    browser.sign_in()
    browser.exchange()

    path = "/api/token/refresh/"
    assert browser.call(path).status_code == HTTPStatus.FORBIDDEN
    assert browser.call(path, **browser.csrf).status_code == HTTPStatus.OK


def test_the_exchange_ends_the_django_session(user):
    browser = Browser(user)
    browser.sign_in()
    browser.exchange()

    assert browser.exchange().status_code == HTTPStatus.FORBIDDEN
    assert OutstandingToken.objects.live().count() == 1


def test_without_the_csrf_token_there_is_no_exchange(user):
    browser = Browser(user)
    browser.sign_in()

    assert browser.call("/signed-in/tokens/").status_code == HTTPStatus.FORBIDDEN
    assert OutstandingToken.objects.count() == 1  # of the page


def test_without_the_second_factor_there_are_no_tokens(user, secret):
    browser = Browser(user)
    assert "/2fa/authenticate/" in browser.sign_in().headers["Location"]

    assert browser.exchange().status_code == HTTPStatus.FORBIDDEN
    assert browser.send("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert browser.exchange().status_code == HTTPStatus.FORBIDDEN
    assert not OutstandingToken.objects.exists()


def test_after_the_second_factor_there_are_tokens(user, secret):
    browser = Browser(user)
    browser.sign_in()

    answer = browser.send("/accounts/2fa/authenticate/", {"code": code(secret)})

    assert answer.headers["Location"] == "/signed-in/"
    assert browser.exchange().status_code == HTTPStatus.OK


def test_no_other_way_in_takes_a_password_alone(user, secret):
    User.objects.filter(pk=user.pk).update(is_staff=True)
    device, browser = Device(user), Browser(user)
    browser.get("/signed-in/")

    for path in ("/api/token/", "/api/token/sliding/"):
        assert device.post(path, device.credentials).status_code == HTTPStatus.NOT_FOUND
    form = {"username": user.email, "password": PASSWORD}
    answer = browser.send("/admin/login/?next=/admin/", form)
    assert answer.headers["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert browser.exchange().status_code == HTTPStatus.FORBIDDEN


def test_an_inactive_user_is_refused_before_and_after_allauth(user):
    browser, late = Browser(user), Browser(user)
    late.sign_in()
    user.is_active = False
    user.save()

    assert browser.sign_in().headers["Location"] == "/accounts/inactive/"
    assert browser.exchange().status_code == HTTPStatus.FORBIDDEN
    assert late.exchange().status_code == HTTPStatus.FORBIDDEN
    assert not OutstandingToken.objects.live().exists()


def test_signing_out_everywhere_ends_allauths_session_too(user, device):
    browser = Browser(user)
    browser.sign_in()

    device.http.delete("/api/sessions/?all=true", **device.bearer)

    assert browser.exchange().status_code == HTTPStatus.FORBIDDEN


def test_a_closed_sign_up_is_closed_at_allauth_too(user, settings):
    settings.ACCOUNTS_ALLOW_SIGNUP = False
    browser = Browser(user)
    browser.get("/accounts/signup/")
    browser.get("/signed-in/")

    form = {"email": "eve@example.com", "password1": "a long enough password"}
    browser.send("/accounts/signup/", form)

    assert not User.objects.filter(email="eve@example.com").exists()
