"""The OpenAPI description and its page."""

import re
from http import HTTPStatus

from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.views import APIView

DESCRIBES_ITSELF = {"/api/schema/", "/api/docs/"}
FOR_STRANGERS = {"/api/register/"}  # who brings no token and no credentials is never 401

# An endpoint of your own that need not be described so well goes into this set.
NOT_DESCRIBED_IN_FULL: set[str] = set()
ERRORS_ARE_MISSING = (
    "%s %s does not describe 200 or 201, 401, and 400, 413 and 415 where it takes a body. Add them "
    "with @extend_schema(responses={...}), as accounts/views.py does, or add the path to "
    "NOT_DESCRIBED_IN_FULL in this file."
)
EXAMPLE_IS_MISSING = (
    "%s %s has no example for its answer %s. Add an OpenApiExample with @extend_schema, as "
    "accounts/views.py does, or add the path to NOT_DESCRIBED_IN_FULL in this file."
)


def api_routes(patterns=None, prefix="/"):
    """Yield the path of every DRF view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from api_routes(pattern.url_patterns, path)
        elif issubclass(getattr(pattern.callback, "cls", object), APIView):
            yield re.sub(r"<\w+:(\w+)>", r"{\1}", path)


def description():
    return SchemaGenerator().get_schema(public=True)


def test_every_api_route_is_described():
    routes = set(api_routes())

    assert routes - DESCRIBES_ITSELF == set(description()["paths"])
    assert len(routes) > 8


def test_every_operation_has_an_example_and_tells_its_errors():
    for path, operations in description()["paths"].items():
        if path in NOT_DESCRIBED_IN_FULL:
            continue
        for method, operation in operations.items():
            answers = operation["responses"]
            assert {"200", "201"} & set(answers), ERRORS_ARE_MISSING % (method.upper(), path)
            is_told = path in FOR_STRANGERS or "401" in answers
            assert is_told, ERRORS_ARE_MISSING % (method.upper(), path)
            bodiless = method in {"get", "delete"}
            is_told = bodiless or {"400", "413", "415"} <= set(answers)
            assert is_told, ERRORS_ARE_MISSING % (method.upper(), path)
            for status, answer in answers.items():
                content = answer["content"]["application/json"]
                assert content.get("examples"), EXAMPLE_IS_MISSING % (method.upper(), path, status)


def test_what_is_throttled_says_so_and_how_long():
    throttled = {
        (path, method)
        for path, operations in description()["paths"].items()
        for method, operation in operations.items()
        if "Retry-After" in operation["responses"].get("429", {}).get("headers", {})
    }

    assert throttled == {
        (f"/api/{path}/", "post")
        for path in (
            "token",
            "token/refresh",
            "token/sliding",
            "token/sliding/refresh",
            "register",
            "password/change",
        )
    }


def test_the_page_and_all_it_loads_are_ours(client, db):
    page = client.get("/api/docs/")

    assert page.status_code == HTTPStatus.OK
    assert b"https://" not in page.content
    assert client.get("/api/schema/").status_code == HTTPStatus.OK
