"""The OpenAPI description of the token endpoints, for drf-spectacular where it is installed.

In a module of its own, so that the views need only Django, DRF and PyJWT.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.utils.module_loading import import_string
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
    OpenApiViewExtension,
)
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from .conf import conf
from .exceptions import WRONG_CREDENTIALS
from .serializers import TokenObtainSerializer

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


class ServiceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.introspection.ServiceAuthentication"
    name = "service"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "The name and the secret of a service.",
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
    "The database or the cache is not available. Wait for the seconds in Retry-After, and send the "
    "same request again.",
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


def bad_credentials(serializer: Any) -> dict[int, OpenApiResponse]:
    """Describe how a sign-in is refused, with the serializer's own refusals."""
    return error(
        401,
        "The user is unknown, the password is wrong or the account is inactive. "
        "The answer is the same for all three."
        + (" Or more is needed to sign in." if serializer.refusals else ""),
        ("no_active_account", WRONG_CREDENTIALS),
        *serializer.refusals,
        name="SignInRefusedError" if serializer.refusals else "",
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


class _SerializerDescription(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # its base's
    """Describes a serializer whose refresh token may be in the cookie instead."""

    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name != "refresh"]
        # openapi-typescript makes a field with a default a required one.
        for name in ("transport", "remember"):
            schema["properties"].get(name, {}).pop("default", None)
        return schema


class ObtainDescription(_SerializerDescription):  # type: ignore[no-untyped-call]
    target_class = f"{__package__}.serializers.TokenObtainPairSerializer"


class RefreshDescription(_SerializerDescription):  # type: ignore[no-untyped-call]
    target_class = f"{__package__}.serializers.TokenRefreshSerializer"


class BlacklistDescription(_SerializerDescription):  # type: ignore[no-untyped-call]
    target_class = f"{__package__}.serializers.TokenBlacklistSerializer"


class TrimmedFieldDescription(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.serializers.TrimmedField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "string", "pattern": r"\S"}


def new_pair() -> OpenApiResponse:
    """Describe the pair of a new session, as TOKEN_OBTAIN_SERIALIZER returns it."""
    return _tokens(
        conf.TOKEN_OBTAIN_SERIALIZER,
        "The first tokens of a new session.",
        {"access": ACCESS, "refresh": REFRESH},
    )


def _tokens(serializer: Any, description: str, tokens: dict[str, str]) -> OpenApiResponse:
    example = OpenApiExample("tokens", tokens, response_only=True)
    return OpenApiResponse(serializer, description, [example])


def _describe(
    name: str,
    operation: str,
    summary: str,
    description: str,
    *errors: dict[int, OpenApiResponse],
    example: dict[str, str],
    tokens: dict[str, str] | None = None,
) -> None:
    """Describe the POST of a view by the serializer in its setting.

    `tokens` is the example of the answer, or None for an empty object. The body is described as
    JSON only. A form has the same fields, and a generated client would have each call twice.
    """

    class Description(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # its base's
        target_class = f"{__package__}.views.{name}"

        def view_replacement(self) -> Any:
            view: Any = self.target_class
            serializer = getattr(conf, view.serializer_setting)
            answer = _tokens(serializer, "The tokens of the session.", tokens) if tokens else DONE
            signs_in = issubclass(serializer, TokenObtainSerializer)
            refused = bad_credentials(serializer) if signs_in else {}
            post = describe(
                operation_id=operation,
                summary=summary,
                description=description,
                tags=["token"],
                auth=[],
                request={"application/json": serializer},
                responses={200: answer, **reduce(or_, errors, refused)},
                examples=[OpenApiExample("an example", example, request_only=True)],
            )
            return extend_schema_view(post=post)(type(view.__name__, (view,), {}))


class CSRFCookieDescription(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.views.CSRFCookieView"

    def view_replacement(self) -> Any:
        view: Any = self.target_class
        get = describe(
            operation_id="token_csrf",
            summary="Get the CSRF cookie",
            description="Send its value as `X-CSRFToken` with every call that uses the refresh "
            "cookie.",
            tags=["token"],
            auth=[],
            responses={200: DONE},
        )
        return extend_schema_view(get=get)(type(view.__name__, (view,), {}))


class IntrospectionDescription(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # its base's
    target_class = f"{__package__}.introspection.IntrospectionView"

    def view_replacement(self) -> Any:
        view: Any = self.target_class
        body = import_string(f"{__package__}.introspection.IntrospectionSerializer")
        active = {"active": True, "sub": "1", "username": "demo@example.com", "exp": 1790000000}
        examples = [
            OpenApiExample("a token in force", active, response_only=True),
            OpenApiExample("any other", {"active": False}, response_only=True),
        ]
        post = describe(
            operation_id="token_introspect",
            summary="Introspect a token",
            description="For services with a name and a secret. Of a token that would be accepted "
            "for its purpose, the answer has the claims, the user's id as `sub` and the user's "
            "name. Of any other it says only that it is not active (RFC 7662).",
            tags=["token"],
            request={"application/json": body},
            responses={
                200: OpenApiResponse(body, "Whether the token is active.", examples),
                **bad_request({"token": REQUIRED}),
                **error(
                    401,
                    "The name or the secret is missing or wrong.",
                    ("invalid_client", "The name or the secret is wrong."),
                    ("not_authenticated", "You are not signed in. Sign in and try again."),
                ),
                **CROSS_SITE,
                **THROTTLED,
            },
            examples=[OpenApiExample("an access token", {"token": ACCESS}, request_only=True)],
        )
        return extend_schema_view(post=post)(type(view.__name__, (view,), {}))


PAIR = {"access": ACCESS, "refresh": REFRESH}
SIGN_IN_ERRORS = (bad_request({USERNAME: REQUIRED}), THROTTLED)
_describe(
    "TokenObtainPairView",
    "token_obtain",
    "Sign in",
    "Opens a session and returns its access token and its refresh token.",
    *SIGN_IN_ERRORS,
    BAD_CSRF,
    example=CREDENTIALS,
    tokens=PAIR,
)
_describe(
    "TokenRefreshView",
    "token_refresh",
    "Refresh",
    "Returns a new access token and the next refresh token. Store the new refresh token first: the "
    "one you sent works once. If no answer arrives, send the same request again at once. Later it "
    "counts as theft, and the session is revoked. Without `refresh`, the refresh cookie counts, or "
    "the sign-in on a page in a browser that has lost the cookie; both need a CSRF token.",
    bad_request({"refresh": REQUIRED}),
    BAD_REFRESH,
    BAD_CSRF,
    THROTTLED,
    example={"refresh": REFRESH},
    tokens=PAIR,
)
_describe(
    "TokenVerifyView",
    "token_verify",
    "Check a token",
    "Answers 200 if the token is valid for its own use: an access token for a request, a refresh "
    "token for a refresh. The token stays as it is.",
    bad_request({"token": REQUIRED}),
    NOT_ACCEPTED,
    example={"token": ACCESS},
)
_describe(
    "TokenBlacklistView",
    "token_blacklist",
    "Sign out",
    "Revokes the session of the token, a refresh or sliding token. All its tokens stop working at "
    "once, and a sign-in on a page that is the same session ends. Signing out twice is fine. "
    "Without `refresh`, it is the session of the refresh cookie or of the sign-in on a page.",
    bad_request({"refresh": REQUIRED}),
    BAD_TOKEN,
    BAD_CSRF_ALONE,
    example={"refresh": REFRESH},
)
_describe(
    "TokenObtainSlidingView",
    "token_obtain_sliding",
    "Sign in with a sliding token",
    "Opens a session and returns its sliding token, which is access and refresh token in one. To "
    "sign out, send it as `refresh` to the sign-out endpoint.",
    *SIGN_IN_ERRORS,
    CROSS_SITE,
    example=CREDENTIALS,
    tokens={"token": SLIDING},
)
_describe(
    "TokenRefreshSlidingView",
    "token_refresh_sliding",
    "Refresh a sliding token",
    "Returns the next sliding token of the session. Refresh before the current one expires.",
    bad_request({"token": REQUIRED}),
    BAD_REFRESH,
    CROSS_SITE,
    THROTTLED,
    example={"token": SLIDING},
    tokens={"token": SLIDING},
)
