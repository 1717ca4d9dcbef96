"""What docs/removing.md promises of a product without pages. Run in such a product."""

from http import HTTPStatus

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from tests.support.codes import add_authenticator_app, totp
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import OutstandingToken

SIGN_IN = "/admin/login/?next=/admin/"


@pytest.fixture
def staff(db):
    cache.clear()  # the used codes
    return UserFactory(admin=True)


def sign_in(user, **more):
    client = Client()
    client.post(SIGN_IN, {"username": user.email, "password": PASSWORD, **more})
    return client


def is_in(client):
    return client.get("/admin/").status_code == HTTPStatus.OK


def test_there_is_no_page_but_the_admins_and_the_apis(client, db):
    for path in ("/", "/login/", "/account/", "/signup/", "/2fa/"):
        assert client.get(path).status_code == HTTPStatus.NOT_FOUND
    assert client.get("/api/docs/").status_code == HTTPStatus.OK
    assert client.get("/admin/").headers["Location"] == SIGN_IN


def test_staff_sign_in_on_the_admins_own_page_and_get_a_session(staff):
    assert is_in(sign_in(staff))
    assert OutstandingToken.objects.live().filter(user=staff).count() == 1


def test_a_wrong_password_and_a_user_who_is_not_staff_are_refused(staff, user):
    assert not is_in(sign_in(staff, password="wrong"))
    assert not is_in(sign_in(user))
    assert not OutstandingToken.objects.exists()


def test_a_sign_in_to_the_admin_needs_the_second_factor(staff):
    secret = add_authenticator_app(staff)

    assert not is_in(sign_in(staff))
    assert not is_in(sign_in(staff, code="000000"))
    assert is_in(sign_in(staff, code=totp(secret)))


def test_staff_without_a_required_second_factor_are_refused(staff, settings):
    settings.ADMIN_REQUIRES_SECOND_FACTOR = True

    assert not is_in(sign_in(staff))
    secret = add_authenticator_app(staff)
    assert is_in(sign_in(staff, code=totp(secret)))


def test_wrong_passwords_count_for_the_limit_of_the_account(staff, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "2/5m/key"}
    for _attempt in range(2):
        sign_in(staff, password="wrong")

    assert not is_in(sign_in(staff))
    assert Device(staff).log_in().status_code == HTTPStatus.TOO_MANY_REQUESTS


def test_a_new_password_in_the_admin_ends_every_other_session(staff):
    browser, device, new = sign_in(staff), Device(staff), "a new battery staple"
    device.log_in()

    page = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert browser.post("/admin/password_change/", page).status_code == HTTPStatus.FOUND

    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert is_in(browser)


def test_an_email_leads_to_the_front_end(client, user):
    body = {"email": user.email}
    client.post("/_allauth/app/v1/auth/password/request", body, "application/json")

    (message,) = mail.outbox
    assert "\nhttps://app.example.com/password/reset/" in message.body
    assert "testserver" not in message.body
