"""The OpenAPI description of the token endpoints, for drf-spectacular where it is installed.

In a module of its own, so that the views need only Django, DRF and PyJWT.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiViewExtension,
)
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from .exceptions import WRONG_CREDENTIALS
from .serializers import TransportField

F = TypeVar("F", bound=Callable[..., Any])
ACCESS = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.signature"
REFRESH = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.signature"
SLIDING = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoic2xpZGluZyJ9.signature"


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


class FieldErrors(serializers.Serializer[Any]):
    """What is wrong with each field. `non_field_errors` is about the whole body."""


class FieldErrorsDescription(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = FieldErrors

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        messages = {"type": "array", "items": {"type": "string"}}
        return {
            "type": "object",
            "description": FieldErrors.__doc__,
            "additionalProperties": messages,
        }


@cache
def _error_body(name: str, codes: tuple[str, ...]) -> Any:
    """Describe `{"detail": ..., "code": ...}`, once for each set of codes."""
    return inline_serializer(
        name,
        {
            "detail": serializers.CharField(
                help_text="A sentence for the user, in the language of `Accept-Language`."
            ),
            "code": serializers.ChoiceField(codes),
        },
    )


def error(
    status: int, title: str, *answers: tuple[str, str], name: str = ""
) -> dict[int, OpenApiResponse]:
    """Describe an answer of `{"detail": ..., "code": ...}`, by (code, detail) examples.

    Give every code that the answer can have: generated clients reject others. `name` is the name
    of the type in these clients, by default made of the codes.
    """
    examples = [
        OpenApiExample(code, {"detail": detail, "code": code}, response_only=True)
        for code, detail in answers
    ]
    codes = tuple(sorted({code for code, _detail in answers}))
    return {status: OpenApiResponse(_error_body(name or _type_name(codes), codes), title, examples)}


def _type_name(codes: tuple[str, ...]) -> str:
    """Return a name for an error with these codes: CsrfFailedError, CrossSiteOrCsrfFailedError."""
    words = "_or_".join(codes).removesuffix("_error").split("_")
    return "".join(word.capitalize() for word in words) + "Error"


PARSE_ERROR = ("parse_error", "JSON parse error - Expecting value")


def bad_request(
    fields: dict[str, list[str]],
    title: str = "A field is missing or wrong, or the body is not valid JSON.",
    *answers: tuple[str, str],
) -> dict[int, OpenApiResponse]:
    """Describe the errors that a request with a body can have.

    `answers` are the (code, detail) that its 400 can have besides `parse_error`.
    """
    described = error(400, title, PARSE_ERROR, *answers)[400]
    # The error is first because openapi-python-client takes the first type that fits, and reads
    # any object as field errors.
    either = PolymorphicProxySerializer(
        f"{type(described.response).__name__}OrFieldErrors",
        [described.response, FieldErrors],
        resource_type_field_name=None,
    )
    example = OpenApiExample("a field", fields, response_only=True)
    return {
        400: OpenApiResponse(either, title, [example, *described.examples]),
        **error(
            413, "The body is too large.", ("payload_too_large", "The request body is too large.")
        ),
        **error(
            415,
            "The body is not JSON.",
            ("unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
        ),
    }


THROTTLED = error(
    429,
    "Too many requests. Wait for the seconds in Retry-After.",
    ("throttled", "Too many attempts. Try again in 42 seconds."),
)
RETRY_AFTER = OpenApiParameter(
    "Retry-After", int, OpenApiParameter.HEADER, description="Seconds to wait.", response=[429, 503]
)
UNAVAILABLE = error(
    503,
    "The database is not available. Wait for the seconds in Retry-After, and send the same request "
    "again.",
    ("unavailable", "The service is busy or restarting. Try again in a moment."),
)


def describe(*, responses: dict[int, Any], parameters: Any = (), **parts: Any) -> Callable[[F], F]:
    """Return drf-spectacular's decorator, with the 503 that each operation can have."""
    return extend_schema(
        responses={**responses, **UNAVAILABLE}, parameters=[*parameters, RETRY_AFTER], **parts
    )


REQUIRED = ["This field is required."]
DONE = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "Done. The body is an empty object.",
    [OpenApiExample("an empty object", {}, response_only=True)],
)
INVALID = ("token_not_valid", "Your session has ended. Sign in again.")
BAD_TOKEN = error(401, "The token is forged, expired, revoked or of the wrong type.", INVALID)
NOT_ACCEPTED = error(
    401,
    "The token is forged, expired or revoked, or its user cannot sign in.",
    INVALID,
    ("user_inactive", "This account is deactivated. Contact support."),
    ("user_not_found", "This account no longer exists."),
    name="TokenRefusedError",
)
BAD_CREDENTIALS = error(
    401,
    "The user is unknown, the password is wrong or the account is inactive. "
    "The answer is the same for all three.",
    ("no_active_account", WRONG_CREDENTIALS),
)
BAD_REFRESH = error(
    401,
    "The session has ended: the token is forged, expired, revoked or was used before, or the "
    "account is inactive. Sign in again.",
    INVALID,
    ("no_active_account", "This account is deactivated or no longer exists. Contact support."),
)
_CSRF_FAILED = ("csrf_failed", "This page was open for too long. Reload it and try again.")
FROM_ANOTHER_SITE = ("cross_site", "Requests from other sites are refused.")
BAD_CSRF = error(
    403,
    "The refresh cookie needs a CSRF token, or the request comes from another site.",
    _CSRF_FAILED,
    FROM_ANOTHER_SITE,
)
BAD_CSRF_ALONE = error(403, "The refresh cookie needs a CSRF token.", _CSRF_FAILED)
CROSS_SITE = error(403, "The request comes from another site.", FROM_ANOTHER_SITE)
USERNAME = get_user_model().USERNAME_FIELD
CREDENTIALS = {USERNAME: "demo@example.com", "password": "demo-password"}


def _describe(
    view: str,
    operation: str,
    summary: str,
    *,
    method: str = "post",
    request: Any = None,
    **parts: Any,
) -> None:
    """Attach a description to a method of a view. Its registration is the subclass's making.

    The body is described as JSON only. A form has the same fields, and a generated client would
    have each call twice.
    """
    described = describe(
        operation_id=operation,
        summary=summary,
        tags=["token"],
        auth=[],
        request=request and {"application/json": request},
        **parts,
    )

    class Description(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # its base's
        target_class = f"{__package__}.views.{view}"

        def view_replacement(self) -> Any:
            return extend_schema_view(**{method: described})(type(view, (self.target_class,), {}))  # type: ignore[arg-type]


@extend_schema_field({"type": "string", "pattern": r"\S"})
class Text(serializers.CharField):
    """Something besides white space, which is trimmed before the field is refused as blank."""


class Credentials(serializers.Serializer[Any]):
    password = serializers.CharField(style={"input_type": "password"})

    def get_fields(self) -> dict[str, Any]:
        return {USERNAME: Text(), **super().get_fields()}


class PairCredentials(Credentials):
    transport = TransportField(
        required=False,
        help_text="Where to put the refresh token: `body` (the default), or `cookie` for an "
        "HttpOnly cookie, which needs a CSRF token.",
    )


_pair = inline_serializer(
    "TokenPair",
    {
        "access": serializers.CharField(
            help_text="Send it with each request: `Authorization: Bearer <access>`."
        ),
        "refresh": serializers.CharField(
            required=False,
            help_text="Good for one refresh. Missing where it is in the cookie, and after a "
            "refresh on a site that does not rotate refresh tokens.",
        ),
    },
)


def _answer(body: Any, description: str, **tokens: str) -> OpenApiResponse:
    example = OpenApiExample("tokens", tokens, response_only=True)
    return OpenApiResponse(body, description, [example])


NEW_PAIR = _answer(_pair, "The first tokens of a new session.", access=ACCESS, refresh=REFRESH)
_refresh = inline_serializer(
    "Refresh",
    {
        "refresh": Text(
            required=False, help_text="The refresh token. Leave it out to use the refresh cookie."
        )
    },
)
_token = inline_serializer("AnyToken", {"token": Text()})
_sliding = inline_serializer("SlidingToken", {"token": Text()})

_describe(
    "CSRFCookieView",
    "token_csrf",
    "Get the CSRF cookie",
    method="get",
    description="Send its value as `X-CSRFToken` with every call that uses the refresh cookie.",
    responses={200: DONE},
)
_describe(
    "TokenObtainPairView",
    "token_obtain",
    "Sign in",
    description="Opens a session and returns its access token and its refresh token.",
    request=PairCredentials,
    responses={
        200: NEW_PAIR,
        **bad_request({USERNAME: REQUIRED}),
        **BAD_CREDENTIALS,
        **BAD_CSRF,
        **THROTTLED,
    },
    examples=[OpenApiExample("credentials", CREDENTIALS, request_only=True)],
)
_describe(
    "TokenRefreshView",
    "token_refresh",
    "Refresh",
    description="Returns a new access token and the next refresh token. Store the new refresh "
    "token first: the one you sent works once. If no answer arrives, send the same request again "
    "at once. Later it counts as theft, and the session is revoked.",
    request=_refresh,
    responses={
        200: _answer(_pair, "The next tokens of the session.", access=ACCESS, refresh=REFRESH),
        **bad_request({"refresh": REQUIRED}),
        **BAD_REFRESH,
        **BAD_CSRF,
        **THROTTLED,
    },
    examples=[OpenApiExample("refresh token", {"refresh": REFRESH}, request_only=True)],
)
_describe(
    "TokenVerifyView",
    "token_verify",
    "Check a token",
    description="Answers 200 if the token is valid for its own use: an access token for a "
    "request, a refresh token for a refresh. The token stays as it is.",
    request=_token,
    responses={200: DONE, **bad_request({"token": REQUIRED}), **NOT_ACCEPTED},
    examples=[OpenApiExample("any token", {"token": ACCESS}, request_only=True)],
)
_describe(
    "TokenBlacklistView",
    "token_blacklist",
    "Sign out",
    description="Revokes the session of the token, a refresh or sliding token. All its tokens stop "
    "working at once. Signing out twice is fine.",
    request=_refresh,
    responses={200: DONE, **bad_request({"refresh": REQUIRED}), **BAD_TOKEN, **BAD_CSRF_ALONE},
    examples=[OpenApiExample("refresh token", {"refresh": REFRESH}, request_only=True)],
)
_describe(
    "TokenObtainSlidingView",
    "token_obtain_sliding",
    "Sign in with a sliding token",
    description="Opens a session and returns its sliding token, which is access and refresh "
    "token in one. To sign out, send it as `refresh` to the sign-out endpoint.",
    request=Credentials,
    responses={
        200: _answer(_sliding, "The first token of a new session.", token=SLIDING),
        **bad_request({USERNAME: REQUIRED}),
        **BAD_CREDENTIALS,
        **CROSS_SITE,
        **THROTTLED,
    },
    examples=[OpenApiExample("credentials", CREDENTIALS, request_only=True)],
)
_describe(
    "TokenRefreshSlidingView",
    "token_refresh_sliding",
    "Refresh a sliding token",
    description="Returns the next sliding token of the session. Refresh before the current one "
    "expires.",
    request=_sliding,
    responses={
        200: _answer(_sliding, "The next token of the session.", token=SLIDING),
        **bad_request({"token": REQUIRED}),
        **BAD_REFRESH,
        **CROSS_SITE,
        **THROTTLED,
    },
    examples=[OpenApiExample("sliding token", {"token": SLIDING}, request_only=True)],
)
