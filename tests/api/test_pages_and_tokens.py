"""A browser that signs in on a page and calls the API with the tokens of that session."""

from http import HTTPStatus

import pytest
from django.conf import settings
from django.test import Client

from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import OutstandingToken
from token_blacklist.tokens import RefreshToken

COOKIE = settings.TOKEN_BLACKLIST["REFRESH_COOKIE_NAME"]
NEW_PASSWORD = "quite-a-new-password"


class Browser(Client):
    """A browser that signs in on the page, with Django's CSRF checks."""

    def __init__(self):
        super().__init__(enforce_csrf_checks=True)

    @property
    def csrf(self):
        return {"HTTP_X_CSRFTOKEN": self.cookies["csrftoken"].value}

    def enter(self, user):
        self.get("/login/")
        form = {"login": user.email, "password": PASSWORD, "remember": "on"}
        answer = self.post("/login/", form, **self.csrf)
        assert answer.status_code == HTTPStatus.FOUND
        return answer

    def call(self, path, data=None, **extra):
        return self.post(f"/api/{path}/", data or {}, content_type="application/json", **extra)

    def bearer(self):
        access = self.call("token/refresh", **self.csrf).json()["access"]
        return {"HTTP_AUTHORIZATION": f"Bearer {access}"}

    def change_password(self, **extra):
        data = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, **extra}
        return self.call("password/change", data, **self.bearer(), **self.csrf)

    @property
    def is_signed_in(self):
        return self.get("/admin/").status_code == HTTPStatus.OK


@pytest.fixture
def staff(db):
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def browser(staff):
    browser = Browser()
    browser.enter(staff)
    return browser


def test_a_sign_in_on_a_page_is_one_session_that_calls_the_api(browser, staff):
    assert browser.get("/api/me/", **browser.bearer()).json()["id"] == staff.pk
    assert browser.is_signed_in
    assert OutstandingToken.objects.count() == 1


def test_signing_out_of_all_devices_by_the_api_signs_the_page_out(browser):
    browser.delete("/api/sessions/?all=true", **browser.bearer())

    assert not browser.is_signed_in


class TestANewPassword:
    def test_by_the_api_keeps_the_page_signed_in_together_with_the_tokens(self, browser, staff):
        answer = browser.change_password(transport="cookie")

        assert answer.status_code == HTTPStatus.OK
        assert browser.is_signed_in
        assert browser.get("/api/me/", **browser.bearer()).status_code == HTTPStatus.OK
        live = OutstandingToken.objects.live().get()
        assert RefreshToken(browser.cookies[COOKIE].value)["sid"] == live.session_id
        assert OutstandingToken.objects.count() == 2

        browser.call("token/blacklist", **browser.csrf)
        assert not browser.is_signed_in

    def test_by_a_device_signs_the_page_out(self, browser, staff):
        other = Browser()
        other.enter(staff)

        other.change_password(transport="cookie")

        assert not browser.is_signed_in
        assert other.is_signed_in

    def test_in_a_session_that_is_not_remembered_opens_another_one(self, browser):
        session = browser.session
        session.set_expiry(0)
        session.save()

        answer = browser.change_password(transport="cookie")

        assert answer.cookies[COOKIE]["max-age"] == ""
