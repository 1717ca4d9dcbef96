"""POST /api/password/change/ with the refresh token in a cookie."""

from http import HTTPStatus

from tests.support.devices import Device, with_csrf
from tests.support.factories import PASSWORD

COOKIE = "refresh_token"
NEW_PASSWORD = "a new long password"


def log_in(browser):
    credentials = {**browser.credentials, "transport": "cookie"}
    return browser.post("/api/token/", credentials, **with_csrf())


def change_password(browser, **extra):
    data = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "transport": "cookie"}
    return browser.post("/api/password/change/", data, **browser.bearer, **extra)


def test_a_password_change_with_transport_cookie_sets_the_cookie_of_the_new_session(browser):
    browser.access = log_in(browser).json()["access"]
    old = browser.http.cookies[COOKIE].value

    answer = change_password(browser, **with_csrf())

    assert answer.json().keys() == {"access"}
    assert answer.cookies[COOKIE]["path"] == "/api/token/"
    assert answer["Cache-Control"] == "no-store"
    assert browser.me(answer.json()["access"]).status_code == HTTPStatus.OK
    assert browser.post("/api/token/refresh/", {}, **with_csrf()).status_code == HTTPStatus.OK
    assert Device(browser.user).refresh(old).status_code == HTTPStatus.UNAUTHORIZED


def test_a_password_change_with_transport_cookie_needs_a_csrf_token(browser):
    browser.access = log_in(browser).json()["access"]

    answer = change_password(browser)

    assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.FORBIDDEN, "csrf_failed")
    assert log_in(browser).status_code == HTTPStatus.OK
