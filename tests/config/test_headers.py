"""Security headers, cookies and CORS."""

import pytest
from corsheaders.middleware import CorsMiddleware
from django.http import HttpResponse
from django.test import Client

from tests.support.parts import only_with
from tests.support.start import problems, settings_of

PAGES = [
    *only_with("pages", "/", "/login/", "/signup/", "/account/", "/password/reset/"),
    *("/nothing/", "/theme.css"),
]


@pytest.mark.parametrize("path", [*PAGES, "/api/me/", "/api/docs/", "/admin/login/"])
def test_every_response_has_security_headers_and_a_csp_for_this_host_only(client, db, path):
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
def test_the_csp_of_pages_allows_no_unsafe_source(client, db, path):
    policy = client.get(path).headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize("path", ["/api/me/", "/api/nothing/"])
def test_the_csp_of_json_allows_no_source_and_no_frame(client, path):
    policy = client.get(path).headers["Content-Security-Policy"]

    assert policy == "default-src 'none'; frame-ancestors 'none'"


EVERYWHERE = {
    *("Content-Type", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"),
    *("Strict-Transport-Security", "Content-Security-Policy", "Permissions-Policy"),
    "X-Request-ID",
}
USUAL = EVERYWHERE | {"X-Frame-Options", "Content-Length", "Content-Language", "Vary"}
FRESH = {"Expires", "Cache-Control"}
STATIC = {"Cache-Control", "Access-Control-Allow-Origin", "Last-Modified", "ETag"}
PROBE = {"Content-Type", *FRESH}
RESPONSES = {
    **dict(
        only_with(
            "pages",
            ("/", (200, USUAL)),
            ("/login/", (200, USUAL | FRESH)),
            ("/account/", (302, USUAL | {"Location"})),
        )
    ),
    "/nothing/": (404, USUAL),
    "/theme.css": (200, USUAL | {"Cache-Control"}),
    "/icon.svg": (200, USUAL | {"Cache-Control"}),
    "/static/css/admin.css": (200, EVERYWHERE | STATIC | {"Content-Length"}),
    "/health/live/": (200, PROBE),
    "/health/ready/": (200, PROBE),
    **dict(only_with("metrics", ("/metrics", (404, PROBE)))),
    "/admin/": (302, USUAL | FRESH | {"Location"}),
    "/_allauth/browser/v1/config": (200, USUAL | FRESH),
    "/_allauth/app/v1/config": (200, USUAL | FRESH),
    "/_allauth/nothing": (404, USUAL),
    "/.well-known/jwks.json": (200, USUAL | {"Allow", "Cache-Control"}),
    "/api/docs/": (200, USUAL | {"Allow"}),
    "/api/me/": (401, USUAL | {"Allow", "WWW-Authenticate"}),
    "/api/token/": (405, USUAL | {"Allow", "Cache-Control"}),
    "/api/token/csrf/": (200, USUAL | {"Allow", "Cache-Control"}),
    "/api/nothing/": (404, USUAL),
}


@pytest.mark.parametrize("path", RESPONSES)
def test_a_response_has_exactly_these_headers(db, settings, path):
    settings.SECURE_HSTS_SECONDS, settings.WHITENOISE_USE_FINDERS = 60, True

    response = Client().get(path, secure=True)
    response.close()

    assert (response.status_code, set(response.headers)) == RESPONSES[path]


def test_djangos_debug_page_has_no_csp(client, db, settings):
    settings.DEBUG = True

    page = client.get("/nothing/", headers={"accept": "text/html"})

    assert "<style>" in page.text
    assert "Content-Security-Policy" not in page.headers
    assert "Content-Security-Policy" in client.get("/theme.css").headers


def test_hsts_is_on_outside_debug(production_env):
    default = settings_of(**production_env)
    both = settings_of(
        **production_env, SECURE_HSTS_INCLUDE_SUBDOMAINS="True", SECURE_HSTS_PRELOAD="True"
    )

    assert default.SECURE_HSTS_SECONDS == 365 * 24 * 3600
    assert not default.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert not default.SECURE_HSTS_PRELOAD
    assert both.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert both.SECURE_HSTS_PRELOAD


@pytest.mark.parametrize("cookie", ["CSRF", "SESSION"])
def test_csrf_and_session_cookies_have_the_host_prefix_outside_debug(production_env, cookie):
    production, development = (
        settings_of(**production_env),
        settings_of(**production_env, DEBUG="True"),
    )

    name = getattr(production, f"{cookie}_COOKIE_NAME")
    assert name == f"__Host-{getattr(development, f'{cookie}_COOKIE_NAME')}"
    # The conditions of browsers for the prefix.
    assert getattr(production, f"{cookie}_COOKIE_SECURE") is True
    assert getattr(production, f"{cookie}_COOKIE_DOMAIN") is None
    assert getattr(production, f"{cookie}_COOKIE_PATH") == "/"


def test_other_origins_get_no_cors_headers_by_default(client, production_env):
    answer = client.get("/api/me/", HTTP_ORIGIN="https://app.example.com")

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "corsheaders" not in str(settings_of(**production_env).MIDDLEWARE)


def test_a_cors_origin_may_call_the_api_and_no_page(rf, production_env, settings):
    named = "https://app.example.com"
    production_env["CORS_ALLOWED_ORIGINS"] = named
    assert "corsheaders.middleware.CorsMiddleware" in settings_of(**production_env).MIDDLEWARE
    settings.CORS_ALLOWED_ORIGINS = settings_of(**production_env).CORS_ALLOWED_ORIGINS
    middleware = CorsMiddleware(lambda request: HttpResponse())

    def allowed(path, origin):
        answer = middleware(rf.get(path, HTTP_ORIGIN=origin))
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed("/api/me/", named) == named
    assert allowed("/api/me/", "https://evil.example") is None
    assert allowed("/account/", named) is None


def test_a_cors_origin_may_read_retry_after_and_x_request_id(rf, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    middleware = CorsMiddleware(lambda request: HttpResponse())

    answer = middleware(rf.get("/api/me/", HTTP_ORIGIN="https://app.example.com"))

    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert {name.strip() for name in exposed.split(",")} == {"Retry-After", "X-Request-ID"}
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origins", ["*", "app.example.com", "https://app.example.com/", "https://*.example.com"]
)
def test_an_invalid_cors_origin_prevents_the_start(production_env, origins):
    assert problems(**production_env, CORS_ALLOWED_ORIGINS=origins) == ["CORS_ALLOWED_ORIGINS"]
