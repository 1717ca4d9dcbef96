"""Malformed input to django-allauth never causes a server error; programs get JSON.

The quick tests send it where code of this project runs, the slow ones to every endpoint and page.
With FUZZ_EXAMPLES they do so signed in, half signed in, and as nobody.
"""

from __future__ import annotations

import json
import os
import re
from http import HTTPStatus

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings as site
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver, resolve

from tests.support.factories import PASSWORD
from tests.support.parts import only_with

APP, BROWSER = "/_allauth/app/v1/", "/_allauth/browser/v1/"
JSON = "application/json"
HTML = {"headers": {"accept": "text/html"}}
WORD = "MQ-a-link-0123"


def addresses(patterns=None, prefix="/"):
    """Yield the path of every view, with a sample value for each parameter."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern.url_patterns, path)
        else:
            path = re.sub(r"\(\?P<uidb36>[^)]*\)-\(\?P<key>[^)]*\)", WORD, path)
            path = re.sub(r"<int:\w+>", "1", re.sub(r"\(\?P<\w+>[^)]*\)|<\w+>", WORD, path))
            yield path.replace("^", "").replace("$", "").replace("\\Z", "")


EVERY = sorted(set(addresses()))
HEADLESS = [path for path in EVERY if path.startswith((APP, BROWSER)) and "phone" not in path]
METHODS = ("POST", "PUT", "PATCH", "DELETE")
ENDPOINTS = [
    (method, path)
    for path in HEADLESS
    for method in METHODS
    if hasattr(resolve(path).func.view_class, method.lower())
]
OURS = [  # the token strategy, the request checks, the rate limits, the sign-up form
    ("POST", f"{APP}auth/login"),
    ("POST", f"{APP}auth/signup"),
    ("POST", f"{APP}auth/password/reset"),
    ("POST", f"{APP}auth/webauthn/login"),
    ("POST", f"{APP}tokens/refresh"),
]
# A form of a page is sent there, and the answer is for a person.
FOR_PEOPLE = "auth/provider/redirect"
PAGES = [
    path
    for path in EVERY
    if path.startswith(
        (
            *("/login", "/signup", "/logout", "/password/", "/email/", "/confirm-email/"),
            *("/2fa/", "/3rdparty/", "/social/", "/reauthenticate/", "/inactive/"),
        )
    )
]

OUR_PAGES = [path for path in PAGES if path in {"/login/", "/signup/", "/password/reset/"}]

DEEP = b"[" * 50_000 + b"]" * 50_000
FIELDS = (
    *("email", "password", "password1", "new_password", "current_password", "code", "key", "name"),
    *("credential", "provider", "token", "process", "refresh_token", "id", "ids", "account"),
    *("authenticators", "callback_url", "client_id", "access_token", "passwordless", "login"),
)


def each_is(value):
    """Return a body in which every field has that value."""
    return json.dumps(dict.fromkeys(FIELDS, value)).encode()


VALUES = {
    "NUL": "\x00",
    "a NUL in an address": "ada\x00@example.com",
    "a list": [1, "a", None],
    "an object": {"a": {"b": []}},
    "a number": 10**30,
    "a fraction": -1.5,
    "true": True,
    "null": None,
    "blank": " ",
    "a huge code": "9" * 30_000,
    "not a character": "\uffff",
    "an address": "ada@example.com",
    "a link": "zzzzzzzzzzzzz-a-b",
    "nested": {"id": [], "response": {"clientDataJSON": 1}, "rawId": None, "type": "public-key"},
}
BODIES = {name: each_is(value) for name, value in VALUES.items()} | {
    "a lone surrogate": each_is("\ud800"),
    "a lone surrogate for a key": b'{"\\ud800": 1}',
    "a list for all": b"[]",
    "a text for all": b'"x"',
    "null for all": b"null",
    "a number for all": b"1",
    "empty": b"",
    "not JSON": b"email=x",
    "cut off": b'{"email": "',
    "nested deep": DEEP,
    "1 MB": b'{"email": "' + b"a" * 1_000_000 + b'"}',
    "not UTF-8": b'{"email": "\xff\xfe"}',
    "UTF-16": '{"email": "x"}'.encode("utf-16"),
    "NaN": b'{"email": NaN}',
    "a number of many digits": b'{"email": ' + b"9" * 10_000 + b"}",
}
TYPES = ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "nonsense", ""]


@pytest.fixture(autouse=True)
def nothing_counted():
    cache.clear()


VISITORS = ("signed in", "half signed in", "nobody")
if "FUZZ_EXAMPLES" not in os.environ:
    VISITORS = VISITORS[:1]


def to(ours, each):
    """Send to ours as nobody, and in the slow tests to each as the visitors."""
    slow = (pytest.param(visitor, each, marks=pytest.mark.slow) for visitor in VISITORS)
    return pytest.mark.parametrize(
        ("visitor", "targets"), [("nobody", ours), *slow], indirect=["visitor"]
    )


@pytest.fixture
def visitor(request, user):
    """Send a request with a session or without: `visitor(method, path, body, type)`."""
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    client = Client(raise_request_exception=False)
    if request.param == "signed in":
        client.force_login(user)
        token = client.session.session_key
    elif request.param == "half signed in":
        form = {"email": user.email, "password": PASSWORD}
        token = client.post(f"{APP}auth/login", form, JSON).json()["meta"]["session_token"]
        client.cookies[site.SESSION_COOKIE_NAME] = token
    headers = {} if request.param == "nobody" else {"X-Session-Token": token}

    def send(method, path, body=b"", content_type=JSON, **more):
        given = {**headers, **more} if path.startswith(APP) else more
        return client.generic(method, path, body, content_type, headers=given)

    return send


def is_no_server_error(answer):
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, answer.content[:300]
    is_for_people = answer.wsgi_request.path.endswith(FOR_PEOPLE)
    if answer.status_code >= HTTPStatus.BAD_REQUEST and not is_for_people:
        assert json.loads(answer.content)["status"] == answer.status_code
    return True


def test_the_tested_addresses_include_all_kinds_of_endpoint():
    for path in (f"{APP}auth/login", f"{BROWSER}auth/signup", f"{APP}auth/webauthn/login"):
        assert path in HEADLESS
    assert len(HEADLESS) > 40


@pytest.mark.pages
def test_the_tested_addresses_include_all_kinds_of_page():
    for path in ("/login/", "/signup/", "/password/reset/", "/email/", "/2fa/authenticate/"):
        assert path in PAGES
    assert len(PAGES) > 20


@to(OURS, ENDPOINTS)
@pytest.mark.parametrize("body", BODIES)
def test_no_body_causes_a_server_error(visitor, targets, verify_by_code, body):
    for method, path in targets:
        assert is_no_server_error(visitor(method, path, BODIES[body])), (method, path)


@to(OURS[:1], ENDPOINTS)
@pytest.mark.parametrize("content_type", TYPES)
def test_no_content_type_causes_a_server_error(visitor, targets, content_type):
    for method, path in targets:
        answer = visitor(method, path, b'{"email": "ada@example.com"}', content_type)
        assert is_no_server_error(answer), (method, path)


@to([*OURS[:1], ("GET", f"{APP}auth/session")], [*ENDPOINTS, *(("GET", path) for path in HEADLESS)])
@pytest.mark.parametrize("value", ["", "a\x00b", "é" * 40, "x" * 60_000], ids=range(4))
@pytest.mark.parametrize(
    "header",
    ["X-Session-Token", "X-Email-Verification-Key", "X-Password-Reset-Key", "X-Forwarded-For"],
)
def test_no_header_causes_a_server_error(visitor, targets, header, value):
    for method, path in targets:
        body = b"" if method == "GET" else b'{"email": "ada@example.com"}'
        answer = visitor(method, path, body, **{header: value})
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (method, path)


@to([f"{APP}auth/session", *OUR_PAGES], [*HEADLESS, *PAGES])
@pytest.mark.parametrize(
    "query", ["", "next=%00", "next=//evil.example", "key=%FF", "provider=%00"]
)
def test_no_query_string_causes_a_server_error(visitor, targets, query):
    for path in targets:
        assert visitor("GET", f"{path}?{query}").status_code < 500, path


FORMS = {
    "NUL": "x=%00",
    "not UTF-8": "x=%FF%FE",
    "a surrogate": "x=%ED%A0%80",
    "a huge code": "x=" + "9" * 30_000,
    "twice": "x=1&x=2",
    "blank": "x=",
    "1 MB": "x=" + "a" * 1_000_000,
    "very many": "x=1&" * 5_000,
    "a link": "x=zzzzzzzzzzzzz-a-b",
    "JSON": "x=%7B%22id%22%3A%5B%5D%7D",
    "a number": "x=1",
    "an address": "x=ada@example.com",
    "another site": "x=//evil.example/",
}
FORM_FIELDS = (
    *FIELDS,
    *("login", "remember", "password2", "oldpassword", "next", "action", "action_add", "trust"),
    *("action_remove", "action_send", "action_primary", "uid", "otp", "resend"),
)


@to(OUR_PAGES, PAGES)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_causes_a_server_error(visitor, targets, form):
    body = "&".join(
        re.sub(r"\bx=", f"{field}=", FORMS[form])
        for field in FORM_FIELDS[: 1 if "MB" in form else None]
    )
    for path in targets:
        answer = visitor("POST", path, body.encode(), "application/x-www-form-urlencoded")
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, path


@pytest.mark.parametrize(
    "path",
    [
        "/confirm-email/%00/",
        "/confirm-email/%FF/",
        "/confirm-email/" + "a" * 5000 + "/",
        "/password/reset/key/%00-a/",
        "/password/reset/key/zzzzzzzzzzzzz-a-b/",
        "/2fa/webauthn/keys/99999999999999999999/remove/",
    ],
)
def test_no_path_causes_a_server_error(user, path):
    client = Client(raise_request_exception=False)
    client.force_login(user)

    for method in (client.get, client.post):
        assert method(path).status_code < HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("cookie", ['"\\000"', '"aaaaaaaa\\000"', "é" * 40, "a" * 5000])
def test_no_cookie_causes_a_server_error(db, cookie):
    client = Client(raise_request_exception=False)
    for name in (site.SESSION_COOKIE_NAME, site.CSRF_COOKIE_NAME):
        for path in ("/login/", f"{BROWSER}auth/session", "/account/"):
            answer = client.get(path, HTTP_COOKIE=f"{name}={cookie}")
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["nothing", f"{APP[1:]}nothing", f"{BROWSER[1:]}auth/login/"])
def test_an_unknown_headless_path_is_404_in_json(client, settings, debug, path):
    settings.DEBUG = debug
    path = f"/{path}" if path.startswith("_allauth") else f"/_allauth/{path}"

    for method in (client.get, client.put):
        answer = method(path, **HTML)

        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert answer.json()["errors"][0]["code"] == "not_found"


def test_the_headless_browser_endpoints_require_a_csrf_token(user):
    strict = Client(enforce_csrf_checks=True)
    body = {"email": user.email, "password": PASSWORD}

    answer = strict.post(f"{BROWSER}auth/login", body, JSON, **HTML)

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.json()["errors"][0]["code"] == "csrf_failed"
    assert strict.post(f"{APP}auth/login", body, JSON).status_code != HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("site_of_the_page", ["cross-site", "same-site"])
def test_a_sign_in_from_another_sites_page_is_refused(client, user, settings, site_of_the_page):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.listed.example"]
    body = {"email": user.email, "password": "wrong"}

    def send(path, **headers):
        return client.post(
            path, body, JSON, headers={"Sec-Fetch-Site": site_of_the_page, **headers}
        )

    sliding = only_with("sliding", "/api/token/sliding/")
    for path in (f"{APP}auth/login", "/api/token/", *sliding):
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            refused = send(path, **headers)
            assert refused.status_code == HTTPStatus.FORBIDDEN
            assert "cross_site" in refused.text
        for origin in ("https://app.example", "https://a.listed.example", "https://listed.example"):
            assert send(path, Origin=origin).status_code in {400, 401}
