"""Requests that need the refresh cookie and do not have it, in this project's settings."""

from http import HTTPStatus

import pytest

from tests.support.devices import Device, with_csrf


class TestWithoutATokenAndACookie:
    @pytest.mark.parametrize("call", ["refresh", "blacklist"])
    @pytest.mark.parametrize("csrf", [{}, with_csrf()])
    def test_the_client_is_not_signed_in(self, browser, call, csrf):
        answer = browser.post(f"/api/token/{call}/", {}, **csrf)

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer["WWW-Authenticate"]
        assert answer.json()["code"] == "not_signed_in"

    @pytest.mark.parametrize("token", ["", None, []])
    def test_an_invalid_field_is_a_field_error(self, browser, token):
        answer = browser.post("/api/token/refresh/", {"refresh": token})

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json().keys() == {"refresh"}

    def test_a_site_without_the_cookie_says_which_field_is_missing(self, browser, options):
        options(PAGES_SET_REFRESH_COOKIE=False)

        answer = browser.post("/api/token/refresh/", {})

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json() == {"refresh": ["This field is required."]}


class TestAPageOfAnotherOrigin:
    """Its browser sends no cookies, and `detail` tells the developer what to do instead."""

    @pytest.fixture
    def page(self, user, settings):
        settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
        headers = {"HTTP_ORIGIN": "https://app.example.com", "HTTP_SEC_FETCH_SITE": "same-site"}
        page = Device(user, enforce_csrf_checks=True)
        page.http.defaults.update(headers)
        return page

    @pytest.mark.parametrize(
        ("path", "data"),
        [
            ("token", {"transport": "cookie"}),
            ("token/refresh", {}),
            ("token/blacklist", {}),
            ("password/change", {"transport": "cookie"}),
        ],
    )
    def test_is_told_that_the_cookie_does_not_work_there(self, page, path, data):
        page.log_in()

        answer = page.post(f"/api/{path}/", {**page.credentials, **data}, **page.bearer)

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["code"] == "cross_site"

    def test_that_has_cookies_gets_the_reason_of_the_csrf_check(self, page):
        """The site's own settings allow them, and the origin is not trusted."""
        page.http.cookies["csrftoken"] = "a" * 32

        data = {**page.credentials, "transport": "cookie"}
        answer = page.post("/api/token/", data, **with_csrf())

        assert answer.json()["code"] == "csrf_failed"
