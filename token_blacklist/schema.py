"""The OpenAPI description of the token endpoints, for drf-spectacular where it is installed.

It stands apart from the views so that they need Django, DRF and PyJWT alone.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from .serializers import TransportField

ACCESS = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.signature"
REFRESH = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.signature"
SLIDING = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoic2xpZGluZyJ9.signature"

Error = inline_serializer(
    "Error", {"detail": serializers.CharField(), "code": serializers.CharField()}
)
FieldErrors = inline_serializer(
    "FieldErrors",
    {"field": serializers.ListField(child=serializers.CharField(), required=False)},
)


class JWTScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.authentication.JWTAuthentication"
    name = "bearer"
    match_subclasses = True

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def error(status: int, title: str, *answers: tuple[str, str]) -> dict[int, OpenApiResponse]:
    """Describe an answer of `{"detail": ..., "code": ...}`, by (code, detail) examples."""
    examples = [
        OpenApiExample(code, {"detail": detail, "code": code}, response_only=True)
        for code, detail in answers
    ]
    return {status: OpenApiResponse(Error, title, examples)}


def bad_request(fields: dict[str, list[str]]) -> dict[int, OpenApiResponse]:
    """Describe a 400 and what every body can be refused for."""
    return {
        400: OpenApiResponse(
            FieldErrors,
            "A field is missing or wrong, or the body cannot be understood.",
            [
                OpenApiExample("a field", fields, response_only=True),
                OpenApiExample(
                    "parse_error",
                    {"detail": "JSON parse error - Expecting value", "code": "parse_error"},
                    response_only=True,
                ),
            ],
        ),
        **error(413, "Too large.", ("payload_too_large", "The request body is too large.")),
        **error(
            415,
            "Not JSON.",
            ("unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
        ),
    }


def wrong_parameter(fields: dict[str, list[str]]) -> dict[int, OpenApiResponse]:
    """Describe the 400 of a request without a body."""
    example = OpenApiExample("a parameter", fields, response_only=True)
    return {400: OpenApiResponse(FieldErrors, "A parameter is wrong.", [example])}


def throttled() -> dict[int, OpenApiResponse]:
    """Describe the 429 of a site that throttles the endpoint."""
    return error(
        429,
        "Too many requests. Retry-After says how many seconds to wait.",
        ("throttled", "Request was throttled. Expected available in 42 seconds."),
    )


RETRY_AFTER = OpenApiParameter(
    "Retry-After", int, OpenApiParameter.HEADER, description="Seconds to wait.", response=[429]
)


def refused() -> dict[int, OpenApiResponse]:
    """Describe the 401 of an authenticated request."""
    return error(
        401,
        "No token, or one that is not good any more: refresh, or sign in.",
        ("not_authenticated", "Authentication credentials were not provided."),
        ("token_not_valid", "Given token not valid for any token type"),
        ("user_inactive", "User is inactive"),
        ("user_not_found", "User not found"),
    )


def _example(name: str, value: dict[str, Any], **kind: Any) -> OpenApiExample:
    return OpenApiExample(name, value, **kind)


REQUIRED = ["This field is required."]
DONE = OpenApiResponse(
    OpenApiTypes.OBJECT, "Yes.", [OpenApiExample("an empty object", {}, response_only=True)]
)
BAD_TOKEN = error(
    401,
    "The token is forged, expired, ended or of another type.",
    ("token_not_valid", "Token is blacklisted"),
)
BAD_CREDENTIALS = error(
    401,
    "Unknown address, wrong password or inactive account: the answer is the same.",
    ("no_active_account", "No active account found with the given credentials"),
)
BAD_REFRESH = error(
    401,
    "The token is forged, expired, ended or given up, or its user is gone.",
    ("token_not_valid", "Token is blacklisted"),
    ("no_active_account", "No active account found for the given token."),
)
BAD_CSRF = error(
    403,
    "The refresh cookie came without a CSRF token.",
    ("csrf_failed", "CSRF check failed: CSRF token missing."),
)
CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}


def _describe(view: str, operation: str, summary: str, **parts: Any) -> None:
    """Attach a description to the POST of a view. Its registration is the subclass's making."""
    parameters = [RETRY_AFTER] if 429 in parts["responses"] else []
    described = extend_schema(
        operation_id=operation,
        summary=summary,
        tags=["token"],
        auth=[],
        parameters=parameters,
        **parts,
    )

    class Description(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # its base's
        target_class = f"{__package__}.views.{view}"

        def view_replacement(self) -> Any:
            return extend_schema_view(post=described)(type(view, (self.target_class,), {}))  # type: ignore[arg-type]


@extend_schema_field({"type": "string", "pattern": r"\S"})
class Text(serializers.CharField):
    """Something besides white space, which is trimmed before the field is refused as blank."""


class Credentials(serializers.Serializer[Any]):
    email = Text()
    password = serializers.CharField(style={"input_type": "password"})


class PairCredentials(Credentials):
    transport = TransportField(
        default="body",
        help_text="`cookie` puts the refresh token into an HttpOnly cookie; it needs a CSRF token.",
    )


_pair = inline_serializer(
    "TokenPair",
    {
        "access": serializers.CharField(),
        "refresh": serializers.CharField(
            required=False, help_text="Not with the cookie, and not where rotation is off."
        ),
    },
)
NEW_PAIR = OpenApiResponse(
    _pair,
    "The first pair of a new session.",
    [OpenApiExample("pair", {"refresh": REFRESH, "access": ACCESS}, response_only=True)],
)
_refresh = inline_serializer(
    "Refresh",
    {"refresh": Text(help_text="May be left out where the refresh cookie is sent.")},
)
_token = inline_serializer("AnyToken", {"token": Text()})
_sliding = inline_serializer("SlidingToken", {"token": Text()})

_describe(
    "TokenObtainPairView",
    "token_obtain",
    "Sign in",
    request=PairCredentials,
    responses={
        200: _pair,
        **bad_request({"email": REQUIRED}),
        **BAD_CREDENTIALS,
        **BAD_CSRF,
        **throttled(),
    },
    examples=[
        _example("credentials", CREDENTIALS, request_only=True),
        _example(
            "pair", {"refresh": REFRESH, "access": ACCESS}, response_only=True, status_codes=["200"]
        ),
    ],
)
_describe(
    "TokenRefreshView",
    "token_refresh",
    "Exchange a refresh token for the next pair",
    request=_refresh,
    responses={
        200: _pair,
        **bad_request({"refresh": REQUIRED}),
        **BAD_REFRESH,
        **BAD_CSRF,
        **throttled(),
    },
    examples=[
        _example("refresh token", {"refresh": REFRESH}, request_only=True),
        _example(
            "pair", {"access": ACCESS, "refresh": REFRESH}, response_only=True, status_codes=["200"]
        ),
    ],
)
_describe(
    "TokenVerifyView",
    "token_verify",
    "Ask whether a token would be accepted",
    request=_token,
    responses={200: DONE, **bad_request({"token": REQUIRED}), **BAD_TOKEN},
    examples=[_example("any token", {"token": ACCESS}, request_only=True)],
)
_describe(
    "TokenBlacklistView",
    "token_blacklist",
    "Sign out: end the session of a refresh token",
    request=_refresh,
    responses={200: DONE, **bad_request({"refresh": REQUIRED}), **BAD_TOKEN, **BAD_CSRF},
    examples=[_example("refresh token", {"refresh": REFRESH}, request_only=True)],
)
_describe(
    "TokenObtainSlidingView",
    "token_obtain_sliding",
    "Sign in for a sliding token",
    request=Credentials,
    responses={200: _sliding, **bad_request({"email": REQUIRED}), **BAD_CREDENTIALS, **throttled()},
    examples=[
        _example("credentials", CREDENTIALS, request_only=True),
        _example("sliding token", {"token": SLIDING}, response_only=True, status_codes=["200"]),
    ],
)
_describe(
    "TokenRefreshSlidingView",
    "token_refresh_sliding",
    "Exchange a sliding token for the next one",
    request=_sliding,
    responses={200: _sliding, **bad_request({"token": REQUIRED}), **BAD_REFRESH, **throttled()},
    examples=[_example("sliding token", {"token": SLIDING})],
)
