"""Sites that mount the app's URLs elsewhere: below a version, a language or a namespace."""

from hashlib import sha256

import pytest

pytestmark = pytest.mark.process

SERVICE = {"INTROSPECTION_CLIENTS": {"shop": [sha256(b"secret").hexdigest()]}}
ENDPOINTS = """
from base64 import b64encode

new_user()
basic = {"HTTP_AUTHORIZATION": "Basic " + b64encode(b"shop:secret").decode()}
pair = client.post(ROOT + "token/", {"username": "ada", "password": "pw"}, format="json").json()
access = {"HTTP_AUTHORIZATION": f"Bearer {pair['access']}"}


def answer(method, path, body=None, **headers):
    call = getattr(client, method)
    show(call(path, body, **({"format": "json"} if body else {}), **headers).status_code)


answer("get", ROOT + "token/csrf/")
answer("get", ROOT + "token/check/", **access)
answer("post", ROOT + "token/introspect/", {"token": pair["access"]}, **basic)
answer("get", ROOT + "token/revocations/", **basic)
answer("post", ROOT + "token/verify/", {"token": pair["access"]})
answer("post", ROOT + "token/refresh/", {"refresh": pair["refresh"]})
answer("post", ROOT + "token/blacklist/", {"refresh": pair["refresh"]})
answer("post", ROOT + "token/sliding/", {"username": "ada", "password": "pw"})
answer("post", ROOT + "token/sliding/refresh/", {"token": "x"})
answer("get", KEYS)
"""
ANSWERS = [200, 204, 200, 200, 200, 200, 200, 200, 401, 200]
URLS = """
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path

urlpatterns = {}
"""
PATH = 'path("<str:version>/api/", include("APP.urls"))'
KEYS = 'path("<str:version>/.well-known/", include("APP.well_known"))'
NO_VERSION = 'path("v1/.well-known/", include("APP.well_known"))'


@pytest.mark.parametrize(
    ("patterns", "versioning"),
    [
        (f"[{PATH}, {KEYS}]", "URLPathVersioning"),
        (f"[{PATH}, {KEYS}]", None),
        (f'[re_path("^(v1|v2)/api/", include("APP.urls")), {NO_VERSION}]', None),
        (f'[re_path("^(?P<version>v1)/api/", include("APP.urls")), {KEYS}]', "URLPathVersioning"),
        (
            f'[path("v1/api/", include(("APP.urls", "x"), "v1")), {NO_VERSION}]',
            "NamespaceVersioning",
        ),
        (f'[*i18n_patterns(path("api/", include("APP.urls"))), {NO_VERSION}]', None),
    ],
)
def test_every_endpoint_answers_below_a_path_with_parameters(new, patterns, versioning):
    drf = {"ALLOWED_VERSIONS": ["v1"]}
    if versioning:
        drf["DEFAULT_VERSIONING_CLASS"] = f"rest_framework.versioning.{versioning}"
    host = new(urls=URLS.replace("{}", patterns), REST_FRAMEWORK=drf, TOKEN_BLACKLIST=dict(SERVICE))
    root = "/en/api/" if "i18n" in patterns else "/v1/api/"
    names = f'ROOT, KEYS = "{root}", "/v1/.well-known/jwks.json"\n'

    assert host.run(names + ENDPOINTS) == ANSWERS


def test_a_version_in_the_accept_header_is_read(new):
    host = new(
        REST_FRAMEWORK={
            "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
            "ALLOWED_VERSIONS": ["1.0"],
        }
    )

    statuses = host.run("""
        for accept in [
            "application/json; version=1.0",
            "text/html;q=0.9, application/json;version=1.0;q=0.8",
            "application/vnd.acme+json; version=1.0",
            "application/json; version=2.0",
            "application/json; version*=rot13''1.0",
        ]:
            show(client.get("/api/token/csrf/", HTTP_ACCEPT=accept).status_code)
    """)

    assert statuses == [200, 200, 200, 406, 406]


@pytest.mark.parametrize(
    ("mounted", "cookie_path", "is_named"),
    [
        ('path("api/", include("APP.urls"))', "/api/token/", False),
        ('path("api/", include("APP.urls"))', "/", False),
        ('path("api/", include("APP.urls"))', "/api", False),
        ('path("api/", include("APP.urls"))', "/api/token", False),
        ('path("api/", include("APP.urls"))', "/api/tok", True),
        ('path("api/", include("APP.urls"))', "/api/token/refresh/", True),
        ('path("auth/", include("APP.urls"))', "/api/token/", True),
        ('path("auth/", include("APP.urls"))', "/auth/token/", False),
        ('path("", include("APP.urls"))', "/api/token/", True),
        ('path("api/<str:version>/", include("APP.urls"))', "/api/token/", True),
        ('path("api/<str:version>/", include("APP.urls"))', "/api/", False),
        ('path("api/<str:version>/", include("APP.urls"))', "/api/v1/token/", False),
        ('re_path(r"^api/(?P<v>[^/]+)/", include("APP.urls"))', "/api/token/", True),
        ('re_path(r"^api/", include("APP.urls"))', "/api/token/", False),
        ('path("api/", include(("APP.urls", "x"), "v1"))', "/api/token/", False),
        ('*i18n_patterns(path("api/", include("APP.urls")))', "/", False),
        ('*i18n_patterns(path("api/", include("APP.urls")))', "/api/token/", True),
        ('path("login/", APP_VIEWS.TokenRefreshView.as_view())', "/api/token/", True),
        ('path("admin/", include([]))', "/api/token/", False),
    ],
)
def test_a_cookie_path_that_does_not_cover_the_endpoints_is_named(
    new, mounted, cookie_path, is_named
):
    views = "import APP.views as APP_VIEWS\n"
    urls = views + URLS.replace("{}", f"[{mounted}]").replace("APP_VIEWS", "the_views")
    host = new(
        urls=urls.replace("as APP_VIEWS", "as the_views"),
        TOKEN_BLACKLIST={"REFRESH_COOKIE_PATH": cookie_path},
        migrate=False,
    )

    done = host.manage("check")

    assert done.returncode == 0, done.stderr
    assert ("token_blacklist.W003" in done.stderr) == is_named, done.stderr


def test_the_prefix_of_the_whole_site_counts_for_the_cookie_path(new):
    host = new(FORCE_SCRIPT_NAME="/shop", migrate=False)

    assert "to /shop/api/token/blacklist/, /shop/api/token/refresh/." in host.manage("check").stderr


def test_a_service_without_urls_is_checked_too(new):
    host = new(ROOT_URLCONF=None, migrate=False)

    assert host.manage("check").returncode == 0
