"""The OpenAPI descriptions: ours at /api/schema/, allauth's at /_allauth/openapi.json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from allauth.headless.constants import Flow
from allauth.headless.spec.views import OpenAPIJSONView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.translation import get_language, override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import alpha_operation_sorter
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from .errors import no_endpoint

# What a client needs first, in the order of use.
FIRST = (
    "/api/token/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/token/blacklist/",
    "/api/me/",
    "/api/sessions/",
    "/api/sessions/{session_id}/",
)


EMAIL_TEXTS = {
    "username/email": "email",
    "a username-password or email-password combination": "an e-mail address and a password",
    "Whether or not `username`, `email`, `phone` or combination of those are\nrequired depends on "
    "the configuration of django-allauth. Additionally,\nif a custom signup form is used there may "
    "be other custom properties\nrequired.": "Opens an account with an e-mail address.",
}


def order_of_use(endpoint: tuple[str, str, str, Any]) -> tuple[int, Any]:
    """Return the sort key of an operation: those of FIRST, then the others by path and method."""
    path, *_rest = endpoint
    at = FIRST.index(path) if path in FIRST else len(FIRST)
    return at, alpha_operation_sorter(endpoint)  # type: ignore[no-untyped-call]


class SchemaView(SpectacularAPIView):
    """drf-spectacular's view, which otherwise takes about 80 ms of processor time per request.

    Each process describes the API once per language and format. `?lang=` selects a language.
    """

    schema = None  # the description does not list itself

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        lang = request.GET.get("lang")
        language = lang if lang in dict(settings.LANGUAGES) else get_language()
        renderer: Any = request.accepted_renderer
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        name = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{renderer.format}"
        return HttpResponse(
            _description(language, renderer.__class__),
            content_type=f"{renderer.media_type}{charset}",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


@cache
def _description(language: str | None, renderer: type[BaseRenderer]) -> Any:
    with override(language):
        schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
        return renderer().render(schema, renderer_context={})


def headless_description(request: HttpRequest) -> HttpResponse:
    """Return allauth's OpenAPI description of its headless API, with our tokens added.

    Generating it takes 180 ms, so each process does it once.
    """
    return HttpResponse(_headless_description(), content_type="application/vnd.oai.openapi+json")


@cache
def _headless_description() -> str:
    with override("en"):
        described = json.loads(OpenAPIJSONView().get(HttpRequest()).content)
    described["info"]["title"] = f"{settings.SITE_NAME} accounts API"
    described = _without_usernames(described)
    _drop_what_is_off(described)
    schemas = described["components"]["schemas"]
    schemas["Flow"]["properties"]["id"]["enum"] = [flow.value for flow in Flow]  # it lacks some
    meta = schemas["BaseAuthenticationMeta"]["properties"]
    meta["access_token"]["description"] = (
        "Like that of `/api/token/`, once signed in (`app` clients)."
    )
    meta["refresh_token"] = {
        "type": "string",
        "description": "For `/api/token/refresh/`, once signed in (`app` clients).",
    }
    meta["expires_in"] = {
        "type": "integer",
        "description": "The lifetime of the access token in seconds.",
    }
    return json.dumps(described)


def _without_usernames(part: Any) -> Any:
    """Return a part of allauth's description without user names, which accounts here do not have.

    Also without the alternatives that need one, such as "Login by username".
    """
    if isinstance(part, dict):
        named = part.items()
        return {key: _without_usernames(of) for key, of in named if key.lower() != "username"}
    if isinstance(part, list):
        return [
            _without_usernames(each)
            for each in part
            if each != "username"
            and not (isinstance(each, dict) and "username" in each.get("required", ()))
        ]
    if isinstance(part, str):
        for theirs, ours in EMAIL_TEXTS.items():
            part = part.replace(theirs, ours)
    return part


def _drop_what_is_off(described: dict[str, Any]) -> None:
    """Remove the operations that the settings turn off, and tags without operations."""
    described["paths"] = {
        path: operations
        for path, operations in described["paths"].items()
        if resolve(path.replace("{client}", "app")).func is not no_endpoint
    }
    used = {
        tag
        for operations in described["paths"].values()
        for operation in operations.values()
        for tag in operation["tags"]
    }
    described["tags"] = [tag for tag in described["tags"] if tag["name"] in used]
    for group in described["x-tagGroups"]:
        group["tags"] = [tag for tag in group["tags"] if tag in used]
