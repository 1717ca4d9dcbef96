"""`transport: "cookie"`: the refresh token in an HttpOnly cookie, with CSRF protection."""

from http import HTTPStatus

import pytest

from tests.support.devices import Device, with_csrf
from tests.support.factories import UserFactory
from token_blacklist.models import BlacklistedToken

COOKIE = "refresh_token"


def log_in(browser, **extra):
    return browser.post("/api/token/", {**browser.credentials, "transport": "cookie"}, **extra)


def test_the_refresh_token_is_set_in_a_cookie_for_the_token_endpoints_only(browser, settings):
    answer = log_in(browser, **with_csrf())

    assert answer.json().keys() == {"access"}
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] is True
    assert cookie["secure"] is True  # the tests run outside DEBUG
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/api/token/"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("call", ["login", "refresh", "blacklist"])
def test_a_request_with_the_cookie_and_no_csrf_token_is_refused_and_changes_nothing(browser, call):
    if call != "login":
        log_in(browser, **with_csrf())

    answer = log_in(browser) if call == "login" else browser.post(f"/api/token/{call}/", {})

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.json()["code"] == "csrf_failed"
    assert not BlacklistedToken.objects.exists()
    assert log_in(browser, **with_csrf()).status_code == HTTPStatus.OK


def test_a_single_page_app_gets_the_csrf_cookie_from_the_api(user):
    app = Device(user, enforce_csrf_checks=True)

    answer = app.http.get("/api/token/csrf/")

    assert answer.status_code == HTTPStatus.OK
    assert answer.json() == {}
    assert answer["Cache-Control"] == "no-store"
    token = answer.cookies["csrftoken"].value
    assert log_in(app, HTTP_X_CSRFTOKEN=token).json().keys() == {"access"}


def test_a_refresh_reads_the_cookie_and_sets_the_next(browser):
    first = log_in(browser, **with_csrf()).cookies[COOKIE].value

    answer = browser.post("/api/token/refresh/", {}, **with_csrf())

    assert answer.status_code == HTTPStatus.OK
    assert answer.json().keys() == {"access"}
    assert answer.cookies[COOKIE].value != first
    assert browser.me(answer.json()["access"]).status_code == HTTPStatus.OK


def test_a_token_in_the_body_takes_precedence_over_the_cookie_and_needs_no_csrf(browser):
    log_in(browser, **with_csrf())
    other = Device(browser.user)
    other.log_in()

    answer = browser.post("/api/token/refresh/", {"refresh": other.refresh_token})

    assert answer.json().keys() == {"access", "refresh"}
    assert COOKIE not in answer.cookies


def test_signing_out_revokes_the_session_and_clears_the_cookie(browser):
    log_in(browser, **with_csrf())

    answer = browser.post("/api/token/blacklist/", {}, **with_csrf())

    assert answer.json() == {}
    assert answer.cookies[COOKIE].value == ""
    assert answer.cookies[COOKIE]["path"] == "/api/token/"
    assert BlacklistedToken.objects.get().reason == "logout"


def test_signing_out_with_an_invalid_cookie_is_refused_and_clears_it(browser):
    log_in(browser, **with_csrf())
    browser.http.cookies[COOKIE] = "nonsense"

    answer = browser.post("/api/token/blacklist/", {}, **with_csrf())

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.cookies[COOKIE].value == ""


class TestARefreshCookieThatComesTwice:
    """Another subdomain can set a cookie with the same name for the whole domain."""

    @pytest.fixture
    def cookies(self, browser):
        """Return the Cookie header with these refresh tokens."""
        log_in(browser, **with_csrf())

        def cookies(*tokens, csrf="a" * 32):
            pairs = [("csrftoken", csrf), *((COOKIE, token) for token in tokens)]
            return {"HTTP_COOKIE": "; ".join("=".join(pair) for pair in pairs)}

        return cookies

    @pytest.fixture
    def tokens(self, browser, cookies):
        """The browser's own token and the one of an attacker's session."""
        attacker = Device(UserFactory())
        attacker.log_in()
        return [browser.http.cookies[COOKIE].value, attacker.refresh_token]

    @pytest.mark.parametrize("call", ["refresh", "blacklist"])
    @pytest.mark.parametrize("step", [1, -1])
    def test_is_refused_in_either_order_and_changes_nothing(
        self, browser, cookies, tokens, call, step
    ):
        answer = browser.post(f"/api/token/{call}/", {}, **with_csrf(), **cookies(*tokens[::step]))

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer.json()["code"] == "token_not_valid"
        assert "more than one" in answer.json()["detail"]
        assert answer["WWW-Authenticate"]
        assert not BlacklistedToken.objects.exists()
        for token in tokens:
            assert Device(browser.user).refresh(token).status_code == HTTPStatus.OK

    def test_is_cleared_only_by_signing_out(self, browser, cookies, tokens):
        both = cookies(*tokens)

        assert COOKIE not in browser.post("/api/token/refresh/", {}, **with_csrf(), **both).cookies
        answer = browser.post("/api/token/blacklist/", {}, **with_csrf(), **both)

        assert answer.cookies[COOKIE].value == ""

    def test_needs_a_csrf_token_all_the_same(self, browser, cookies, tokens):
        answer = browser.post("/api/token/blacklist/", {}, **cookies(*tokens))

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert COOKIE not in answer.cookies

    def test_does_not_matter_to_a_token_in_the_body(self, browser, cookies, tokens):
        answer = browser.post("/api/token/refresh/", {"refresh": tokens[0]}, **cookies(*tokens))

        assert answer.status_code == HTTPStatus.OK

    @pytest.mark.parametrize("other", ["x_{}=1", "x={}"])
    def test_is_not_a_cookie_with_a_similar_name(self, browser, cookies, tokens, other):
        header = cookies(tokens[0])
        header["HTTP_COOKIE"] += "; " + other.format(COOKIE)

        answer = browser.post("/api/token/refresh/", {}, **with_csrf(), **header)

        assert answer.status_code == HTTPStatus.OK
