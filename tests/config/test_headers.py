"""What a browser is told that it may do with our answers, and which origins may ask."""

import pytest
from corsheaders.middleware import CorsMiddleware
from django.http import HttpResponse

from tests.config.test_settings import problems, setting

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


@pytest.mark.parametrize("path", [*PAGES, "/api/me/"])
def test_only_the_admin_and_the_api_page_may_have_more(client, path):
    policy = client.get(path).headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


def test_a_debug_page_of_django_may_show_its_style(client, settings):
    settings.DEBUG = True

    page = client.get("/nothing/", headers={"accept": "text/html"})

    assert "<style>" in page.text
    assert "Content-Security-Policy" not in page.headers
    assert "Content-Security-Policy" in client.get("/login/").headers


@pytest.mark.process
def test_hsts_is_sent_outside_debug(fit):
    assert setting("settings.SECURE_HSTS_SECONDS", **fit) == 365 * 24 * 3600
    more = "(settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD)"
    both = {"SECURE_HSTS_INCLUDE_SUBDOMAINS": "True", "SECURE_HSTS_PRELOAD": "True"}
    assert setting(more, **fit) == (False, False)
    assert setting(more, **fit, **both) == (True, True)


@pytest.mark.process
def test_a_device_cookie_is_of_this_host_and_tls_alone_outside_debug(fit):
    assert setting("settings.DEVICE_COOKIE_NAME", **fit) == "__Host-device"
    assert setting("settings.SESSION_COOKIE_SECURE", **fit) is True


@pytest.mark.process
def test_no_subdomain_can_plant_a_csrf_or_a_session_cookie_outside_debug(fit):
    names = "(settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_NAME)"
    # What a browser asks of the prefix.
    rest = "(settings.CSRF_COOKIE_SECURE, settings.CSRF_COOKIE_DOMAIN, settings.CSRF_COOKIE_PATH)"
    session = rest.replace("CSRF", "SESSION")

    assert setting(names, **fit) == ("__Host-csrftoken", "__Host-sessionid")
    assert setting(rest, **fit) == setting(session, **fit) == (True, None, "/")
    assert setting(names, **fit | {"DEBUG": "True"}) == ("csrftoken", "sessionid")


@pytest.mark.process
def test_other_origins_are_kept_out(client, fit):
    answer = client.get("/api/me/", HTTP_ORIGIN="https://app.example.com")

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "corsheaders" not in str(setting("settings.MIDDLEWARE", **fit))


@pytest.mark.process
def test_an_origin_that_is_named_may_call_the_api_and_no_page(rf, fit, settings):
    named = "https://app.example.com"
    fit["CORS_ALLOWED_ORIGINS"] = named
    assert "corsheaders" in setting("settings.MIDDLEWARE", **fit)[2]
    settings.CORS_ALLOWED_ORIGINS = setting("settings.CORS_ALLOWED_ORIGINS", **fit)
    middleware = CorsMiddleware(lambda request: HttpResponse())

    def allowed(path, origin):
        answer = middleware(rf.get(path, HTTP_ORIGIN=origin))
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed("/api/me/", named) == named
    assert allowed("/api/me/", "https://evil.example") is None
    assert allowed("/account/", named) is None


@pytest.mark.process
@pytest.mark.parametrize(
    "origins", ["*", "app.example.com", "https://app.example.com/", "https://*.example.com"]
)
def test_what_is_no_origin_stops_the_start(fit, origins):
    assert problems(**fit, CORS_ALLOWED_ORIGINS=origins) == ["CORS_ALLOWED_ORIGINS"]
