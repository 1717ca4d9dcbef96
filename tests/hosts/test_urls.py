"""Sites that mount the app's URLs elsewhere: below a version, a language or a namespace."""

from hashlib import sha256
from types import ModuleType

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path

from token_blacklist.checks import check_cookie_path
from token_blacklist.urls import urlpatterns

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


@pytest.mark.process
@pytest.mark.elsewhere
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


@pytest.mark.process
@pytest.mark.elsewhere
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


API = path("api/", include(urlpatterns))
BELOW_A_VERSION = path("api/<str:version>/", include(urlpatterns))


@pytest.mark.parametrize(
    ("mounted", "cookie_path", "is_named"),
    [
        ([API], "/api/token/", False),
        ([API], "/", False),
        ([API], "/api/token", False),
        ([API], "/api/tok", True),
        ([API], "/api/token/refresh/", True),
        ([path("", include(urlpatterns))], "/api/token/", True),
        ([BELOW_A_VERSION], "/api/token/", True),
        ([BELOW_A_VERSION], "/api/v1/token/", False),
        ([re_path(r"^api/(?P<v>[^/]+)/", include(urlpatterns))], "/api/token/", True),
        ([path("api/", include((urlpatterns, "x"), "v1"))], "/api/token/", False),
        (i18n_patterns(API), "/", False),
        (i18n_patterns(API), "/api/token/", True),
        ([path("admin/", include([]))], "/api/token/", False),
    ],
)
def test_a_cookie_path_that_does_not_cover_the_endpoints_is_named(
    settings, options, mounted, cookie_path, is_named
):
    module = ModuleType("routes")
    module.urlpatterns = mounted
    settings.ROOT_URLCONF = module
    options(REFRESH_COOKIE_PATH=cookie_path)

    assert [found.id for found in check_cookie_path()] == ["token_blacklist.W003"] * is_named


@pytest.mark.process
@pytest.mark.elsewhere
def test_the_prefix_of_the_whole_site_counts_for_the_cookie_path(new):
    host = new(FORCE_SCRIPT_NAME="/shop", migrate=False)

    assert "to /shop/api/token/blacklist/, /shop/api/token/refresh/." in host.manage("check").stderr


@pytest.mark.process
@pytest.mark.elsewhere
def test_a_service_without_urls_is_checked_too(new):
    host = new(ROOT_URLCONF=None, migrate=False)

    assert host.manage("check").returncode == 0
