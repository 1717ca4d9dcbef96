"""What a browser is told that it may do with our answers, and which origins may ask."""

import pytest
from corsheaders.middleware import CorsMiddleware
from django.http import HttpResponse

from tests.support.start import problems, settings_of

PAGES = ["/", "/login/", "/signup/", "/account/", "/password/reset/", "/nothing/", "/theme.css"]


@pytest.mark.parametrize("path", [*PAGES, "/api/me/", "/api/docs/", "/admin/login/"])
def test_every_answer_has_a_policy_that_allows_only_what_is_ours(client, db, path):
    headers = client.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert "*" not in policy
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_only_the_admin_and_the_api_page_may_have_more(client, db, path):
    policy = client.get(path).headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize("path", ["/api/me/", "/api/nothing/"])
def test_json_may_load_nothing_and_be_framed_by_nobody(client, path):
    policy = client.get(path).headers["Content-Security-Policy"]

    assert policy == "default-src 'none'; frame-ancestors 'none'"


def test_a_debug_page_of_django_may_show_its_style(client, db, settings):
    settings.DEBUG = True

    page = client.get("/nothing/", headers={"accept": "text/html"})

    assert "<style>" in page.text
    assert "Content-Security-Policy" not in page.headers
    assert "Content-Security-Policy" in client.get("/login/").headers


def test_hsts_is_sent_outside_debug(fit):
    default = settings_of(**fit)
    both = settings_of(**fit, SECURE_HSTS_INCLUDE_SUBDOMAINS="True", SECURE_HSTS_PRELOAD="True")

    assert default.SECURE_HSTS_SECONDS == 365 * 24 * 3600
    assert not default.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert not default.SECURE_HSTS_PRELOAD
    assert both.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert both.SECURE_HSTS_PRELOAD


@pytest.mark.parametrize("cookie", ["CSRF", "SESSION"])
def test_no_subdomain_can_plant_a_csrf_or_a_session_cookie_outside_debug(fit, cookie):
    production, development = settings_of(**fit), settings_of(**fit, DEBUG="True")

    name = getattr(production, f"{cookie}_COOKIE_NAME")
    assert name == f"__Host-{getattr(development, f'{cookie}_COOKIE_NAME')}"
    # What a browser asks of the prefix.
    assert getattr(production, f"{cookie}_COOKIE_SECURE") is True
    assert getattr(production, f"{cookie}_COOKIE_DOMAIN") is None
    assert getattr(production, f"{cookie}_COOKIE_PATH") == "/"


def test_other_origins_are_kept_out(client, fit):
    answer = client.get("/api/me/", HTTP_ORIGIN="https://app.example.com")

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "corsheaders" not in str(settings_of(**fit).MIDDLEWARE)


def test_an_origin_that_is_named_may_call_the_api_and_no_page(rf, fit, settings):
    named = "https://app.example.com"
    fit["CORS_ALLOWED_ORIGINS"] = named
    assert "corsheaders" in settings_of(**fit).MIDDLEWARE[3]
    settings.CORS_ALLOWED_ORIGINS = settings_of(**fit).CORS_ALLOWED_ORIGINS
    middleware = CorsMiddleware(lambda request: HttpResponse())

    def allowed(path, origin):
        answer = middleware(rf.get(path, HTTP_ORIGIN=origin))
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed("/api/me/", named) == named
    assert allowed("/api/me/", "https://evil.example") is None
    assert allowed("/account/", named) is None


def test_an_origin_that_is_named_may_read_how_long_to_wait_and_the_id_of_the_request(rf, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    middleware = CorsMiddleware(lambda request: HttpResponse())

    answer = middleware(rf.get("/api/me/", HTTP_ORIGIN="https://app.example.com"))

    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert {name.strip() for name in exposed.split(",")} == {"Retry-After", "X-Request-ID"}
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origins", ["*", "app.example.com", "https://app.example.com/", "https://*.example.com"]
)
def test_what_is_no_origin_stops_the_start(fit, origins):
    assert problems(**fit, CORS_ALLOWED_ORIGINS=origins) == ["CORS_ALLOWED_ORIGINS"]
