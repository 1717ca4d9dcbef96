"""The OpenAPI description of the API, if drf-spectacular is installed.

These attributes of a view are used only here:

- `error_codes`: the codes of each error status, such as `{401: ("token_not_valid",)}`. They are
  added to those of its base classes, authentication, permissions, throttles and serializer. A
  method such as `delete` can have the attribute, too.
- `operation_id`, `summary` and `tags`. The description is the docstring of the view.
- `answers`: the body by status, if it is not the view's serializer.
- `query`: a serializer of query parameters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.urls import get_resolver
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ResolvedComponent

from .authentication import JWTAuthentication
from .conf import conf
from .views import JSONView, RefreshCookieMixin

JSON = "application/json"
STRING = {"type": "string"}
FIELD_ERRORS = {
    "type": "object",
    "description": "The messages of each field. `non_field_errors` is about the whole body.",
    "additionalProperties": {"type": "array", "items": STRING},
}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
SET_COOKIE = {"Set-Cookie": {"schema": STRING, "description": "The refresh cookie, if requested."}}
CSRF_TOKEN = {
    "name": "X-CSRFToken",
    "in": "header",
    "schema": STRING,
    "description": "The value of the CSRF cookie. Needed with the refresh cookie.",
}


class AutoSchema(SpectacularSchema):
    """Describes a view with its errors. The app's views use it, and a site's own views can."""

    def get_operation(self, *args: Any) -> Any:
        operation = super().get_operation(*args)
        if operation is None:
            return None
        errors = error_codes(type(self.view), self.method)
        if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
            errors.setdefault(400, [])
        described = {str(status): self._error(status, codes) for status, codes in errors.items()}
        operation["responses"] = dict(sorted((described | operation["responses"]).items()))
        for status, answer in operation["responses"].items():
            if not answer["description"] or "content" not in answer:
                answer["description"] = f"{HTTPStatus(int(status)).phrase}."
        if isinstance(self.view, RefreshCookieMixin):
            self._describe_cookie(self.view, operation)
        return operation

    def get_operation_id(self) -> str:
        return getattr(self.view, "operation_id", None) or super().get_operation_id()

    def get_summary(self) -> Any:
        return getattr(self.view, "summary", None) or super().get_summary()

    def get_tags(self) -> Any:
        return getattr(self.view, "tags", None) or super().get_tags()

    def get_override_parameters(self) -> Any:
        return [self.view.query] if hasattr(self.view, "query") else []

    def get_response_serializers(self) -> Any:
        return getattr(self.view, "answers", None) or super().get_response_serializers()

    def map_parsers(self) -> list[Any]:
        """Return only JSON. With the form types, generated clients would have each call twice."""
        types = super().map_parsers()
        return [JSON] if JSON in types else types

    def _error(self, status: int, codes: list[str]) -> dict[str, Any]:
        schema = self._component("Error", _error_of(every_code()))
        causes = [", ".join(f"`{code}`" for code in codes)] if codes else []
        if status == HTTPStatus.BAD_REQUEST:
            fields = self._component("FieldErrors", FIELD_ERRORS)
            # The error is first because openapi-python-client uses the first type that matches, and
            # any object matches field errors.
            schema = {"oneOf": [schema, fields]} if codes else fields
            causes.append("the messages of each field")
        examples = {
            code: {"value": {"detail": "A sentence for the user.", "code": code}} for code in codes
        }
        return {
            "description": f"{HTTPStatus(status).phrase}: {' or '.join(causes)}.",
            "content": {JSON: {"schema": schema, **({"examples": examples} if codes else {})}},
            **({"headers": RETRY_AFTER} if status in {429, 503} else {}),
        }

    def _component(self, name: str, schema: dict[str, Any]) -> Any:
        kind = ResolvedComponent.SCHEMA
        component: Any = ResolvedComponent(name, kind, schema, AutoSchema)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return component.ref

    def _describe_cookie(self, view: RefreshCookieMixin, operation: dict[str, Any]) -> None:
        cookie = {
            "name": conf.REFRESH_COOKIE_NAME,
            "in": "cookie",
            "schema": STRING,
            "description": "The refresh token of a browser, in place of `refresh` in the body.",
        }
        parameters = [CSRF_TOKEN, cookie] if view.reads_cookie else [CSRF_TOKEN]
        operation["parameters"] = [*operation.get("parameters", []), *parameters]
        operation["responses"]["200"]["headers"] = SET_COOKIE


def error_codes(view: Any, method: str) -> dict[int, list[str]]:
    """Return the error codes of a view by status."""
    found: dict[int, list[str]] = defaultdict(list, {503: ["unavailable"]})
    parts = [view, *view.authentication_classes, *_permissions(view, method)]
    if method in {"POST", "PUT", "PATCH"}:
        found[400] += ["parse_error"]
        found[413] += ["payload_too_large"]
        found[415] += ["unsupported_media_type"]
    if setting := getattr(view, "serializer_setting", None):
        parts += [getattr(conf, setting)]
    if getattr(view, "throttle_scope", None):
        found[429] += ["throttled"]
        parts += view.throttle_classes
    raised = [vars(base).get("error_codes", {}) for part in parts for base in part.__mro__]
    raised.append(getattr(getattr(view, method.lower(), None), "error_codes", {}))
    for by_status in raised:
        for status, codes in by_status.items():
            found[status] += codes
    return {status: sorted(set(codes)) for status, codes in found.items()}


def _permissions(view: Any, method: str) -> Iterator[type]:
    """Return the classes of the permissions that a view asks for a method."""
    waiting = [*view.permission_classes]
    while waiting:
        each = waiting.pop()
        if hasattr(each, "op1_class"):  # DRF's for &, | and ~
            waiting += [each.op1_class, *filter(None, [getattr(each, "op2_class", None)])]
        elif method in (getattr(each, "methods", ()) or {method}):
            yield each if isinstance(each, type) else type(each)


def every_code() -> list[str]:
    """Return the error codes of all views of the site."""
    views = set(_views(get_resolver().url_patterns))
    errors = [error_codes(view, method) for view in views for method in ("POST", "DELETE")]
    return sorted({code for by_status in errors for codes in by_status.values() for code in codes})


def _views(patterns: Any) -> Iterator[Any]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _views(pattern.url_patterns)
        elif hasattr(pattern.callback, "cls"):
            yield pattern.callback.cls


def _error_of(codes: list[str]) -> dict[str, Any]:
    detail = "A sentence for the user, in the language of `Accept-Language`."
    messages = {"type": "array", "items": {"type": "object", "additionalProperties": STRING}}
    return {
        "type": "object",
        "properties": {
            "detail": STRING | {"description": detail},
            "code": STRING | {"enum": codes},
            "messages": messages | {"description": "For developers."},
        },
        "required": ["detail", "code"],
    }


class JWTScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.authentication.JWTAuthentication"
    name = "bearer"
    match_subclasses = True

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token, or a sliding token where the site accepts them.",
        }


class ServiceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.services.introspection.ServiceAuthentication"
    optional = True  # the folder can be deleted
    name = "service"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "The name and the secret of a service.",
        }


class _SerializerDescription(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # its base's
    """Describes a serializer whose refresh token may be in the cookie instead."""

    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        required = [name for name in schema.pop("required", ()) if name != "refresh"]
        if required:  # OpenAPI 3.0 does not allow an empty list
            schema["required"] = required
        # openapi-typescript treats a field with a default as required.
        for name in ("transport", "remember"):
            schema["properties"].get(name, {}).pop("default", None)
        return schema


for _name in ("TokenObtainPair", "TokenRefresh", "TokenBlacklist"):
    _target = {"target_class": f"{__package__}.serializers.{_name}Serializer"}
    type(f"{_name}Description", (_SerializerDescription,), _target)


class TrimmedFieldDescription(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.serializers.TrimmedField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "string", "pattern": r"\S"}


# Subclasses have the same scheme. drf-spectacular would warn of two classes with one name.
set_override(JWTAuthentication, "suppress_collision_warning", True)
JSONView.schema = AutoSchema()  # instead of DEFAULT_SCHEMA_CLASS
