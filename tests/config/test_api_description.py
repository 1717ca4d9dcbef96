"""The OpenAPI description and its page."""

import json
import re
from functools import cache
from http import HTTPStatus
from urllib.parse import urljoin

import jsonschema
import pytest
from django.urls import get_resolver, include, path
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers
from rest_framework.views import APIView

import config.description
from tests.support.parts import only_with
from token_blacklist.serializers import TokenObtainPairSerializer

# A product describes its own endpoints as it likes.
OURS = [
    path("api/", include("token_blacklist.urls")),
    path(".well-known/", include("token_blacklist.well_known")),
    path("api/", include("accounts.urls")),
]
DESCRIBES_ITSELF = {"/api/schema/", "/api/docs/"}
# Nobody signs in for these, so they are never 401.
FOR_STRANGERS = {"/api/token/csrf/", "/.well-known/jwks.json"}


def api_routes(patterns=None, prefix="/"):
    """Yield the path of every DRF view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from api_routes(pattern.url_patterns, path)
        elif issubclass(getattr(pattern.callback, "cls", object), APIView):
            yield re.sub(r"<\w+:(\w+)>", r"{\1}", path)


@cache
def description():
    return SchemaGenerator(patterns=OURS).get_schema(public=True)


def test_every_api_route_is_described():
    routes = set(api_routes())

    described = SchemaGenerator().get_schema(public=True)["paths"]
    assert routes - DESCRIBES_ITSELF == set(described)
    assert set(described) >= set(description()["paths"])
    assert len(description()["paths"]) > 8


def test_every_operation_describes_its_errors():
    for name, operation in operations():
        method, path = name.split()
        answers = set(operation["responses"])
        assert {"200", "201", "204"} & answers, name
        assert path in FOR_STRANGERS or "401" in answers, name
        assert method in {"GET", "DELETE"} or {"400", "413", "415"} <= answers, name


def operations():
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
    ]


def resolved(schema, described):
    """Return a schema with its `$ref` and `allOf` resolved."""
    schema = schema["allOf"][0] if "allOf" in schema else schema
    name = schema.get("$ref", "").rpartition("/")[2]
    return described["components"]["schemas"][name] if name else schema


def body_of(operation, described):
    (content,) = operation["requestBody"]["content"].values()
    return resolved(content["schema"], described)


def answer_of(operation, status, described):
    return resolved(
        operation["responses"][status]["content"]["application/json"]["schema"], described
    )


OPTIONAL = {
    ("POST /api/token/", "transport"),
    ("POST /api/token/", "remember"),
    ("POST /api/token/", "code"),
    *only_with("sliding", ("POST /api/token/sliding/", "code")),
    ("POST /api/token/refresh/", "refresh"),
    ("POST /api/token/blacklist/", "refresh"),
    ("POST /api/password/change/", "transport"),
    ("PATCH /api/me/", "name"),
}


@pytest.mark.parametrize(("operation", "field"), sorted(OPTIONAL))
def test_a_field_that_may_be_left_out_is_optional(operation, field):
    described = description()
    body = body_of(dict(operations())[operation], described)

    assert field in body["properties"]
    assert field not in body.get("required", [])
    # openapi-typescript makes a field with a default a required one.
    assert "default" not in resolved(body["properties"][field], described)
    assert "default" not in body["properties"][field]


class WithTenant(TokenObtainPairSerializer):
    tenant = serializers.CharField(write_only=True)


def test_the_configured_serializer_is_described(options):
    options(TOKEN_OBTAIN_SERIALIZER=f"{__name__}.WithTenant")

    described = description.__wrapped__()
    operation = described["paths"]["/api/token/"]["post"]
    body = body_of(operation, described)
    assert {"email", "password", "tenant"} <= set(body["required"])


def test_a_400_is_an_error_or_the_messages_of_any_field():
    described = description()
    for name, operation in operations():
        if "requestBody" not in operation:
            continue
        schema = answer_of(operation, "400", described)
        is_valid = jsonschema.Draft202012Validator({**schema, **described}).is_valid

        assert is_valid({"email": ["This field is required."], "any": ["One.", "Two."]}), name
        assert is_valid({"detail": "JSON parse error", "code": "parse_error"}), name
        assert not is_valid({"detail": "JSON parse error", "code": "another"}), name
        assert not is_valid({"email": "This field is required."}), name


def codes_of(operation, status):
    examples = operation["responses"][status]["content"]["application/json"]["examples"]
    assert list(examples) == [example["value"]["code"] for example in examples.values()]
    return set(examples)


def test_the_one_error_type_lists_exactly_the_existing_codes():
    described = description()
    error = described["components"]["schemas"]["Error"]
    told = set()
    for name, operation in operations():
        for status in operation["responses"]:
            if status > "400":
                assert answer_of(operation, status, described) == error, (name, status)
            if status > "400" or (status == "400" and "requestBody" in operation):
                told |= codes_of(operation, status)

    assert {"detail", "code"} == set(error["required"]) == set(error["properties"]) - {"messages"}
    assert set(resolved(error["properties"]["code"], described)["enum"]) == told
    assert [name for name in described["components"]["schemas"] if "Error" in name] == [
        "Error",
        "FieldErrors",
    ]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("POST /api/token/", {"X-CSRFToken"}),
        ("POST /api/token/refresh/", {"X-CSRFToken", "refresh_token"}),
        ("POST /api/token/blacklist/", {"X-CSRFToken", "refresh_token"}),
        ("POST /api/password/change/", {"X-CSRFToken"}),
        ("POST /api/token/verify/", set()),
    ],
)
def test_the_refresh_cookie_and_the_csrf_header_are_described(name, parameters):
    operation = dict(operations())[name]

    assert {parameter["name"] for parameter in operation.get("parameters", ())} == parameters
    assert ("headers" in operation["responses"]["200"]) is bool(parameters)


def test_every_operation_describes_503_with_retry_after():
    for name, operation in operations():
        assert "Retry-After" in operation["responses"]["503"]["headers"], name


def test_the_api_page_loads_nothing_from_other_hosts(client, db):
    page = client.get("/api/docs/")
    script = client.get("/api/docs/?script=").text

    assert page.status_code == HTTPStatus.OK
    assert b"https://" not in page.content
    for address in re.findall(r'{url: "([^"]+)"', script):
        described = client.get(urljoin("/api/docs/", address), headers={"accept": "*/*"})
        assert described.status_code == HTTPStatus.OK
    assert script.count("{url: ") == 2


HEADLESS = "/_allauth/openapi.json"


def test_the_headless_api_is_described_without_disabled_endpoints(client):
    described = client.get(HEADLESS).json()

    meta = described["components"]["schemas"]["BaseAuthenticationMeta"]["properties"]
    assert {"session_token", "access_token", "refresh_token", "expires_in"} == set(meta)
    paths = described["paths"]
    assert "/_allauth/{client}/v1/auth/2fa/authenticate" in paths
    assert not [path for path in paths if re.search("phone|sessions|trust|webauthn/signup", path)]
    used = {tag for path in paths.values() for it in path.values() for tag in it["tags"]}
    assert {tag["name"] for tag in described["tags"]} <= used


def test_no_description_asks_for_a_username(client):
    """Users sign in with `email`. In an introspection, RFC 7662 calls it `username`."""
    ours = {name: each for name, each in operations() if "introspect" not in name}
    schemas = {**description()["components"]["schemas"], "Claims": None}
    theirs = client.get(HEADLESS).json()

    login = theirs["components"]["schemas"]["Login"]["allOf"][1]["anyOf"]
    assert ["email"] in [each["required"] for each in login]
    for described in (ours, schemas, theirs):
        assert not re.search("user.?name", json.dumps(described), re.I)


def test_the_description_is_generated_once_per_language_and_format(client, monkeypatch, settings):
    empty, made = {"openapi": "3.0.3", "paths": {}}, []
    monkeypatch.setattr(
        SchemaGenerator, "get_schema", lambda *args, **kwargs: made.append(1) or empty
    )
    config.description._description.cache_clear()
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]

    for attempt in range(3):
        for language in ("en", "de", "fr", f"x-{attempt}"):
            client.get(f"/api/schema/?version={attempt}", headers={"accept-language": language})
            client.get(f"/api/schema/?lang={language}&x={attempt}")
    assert len(made) == 2

    for query in ("", "?format=json", "?format=json&lang=de"):
        client.get(f"/api/schema/{query}")
    assert len(made) == 4
    config.description._description.cache_clear()
