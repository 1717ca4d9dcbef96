"""The parts of the OpenAPI description that the account endpoints share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from token_blacklist.schema import RETRY_AFTER, UNAVAILABLE, FieldErrors, error

F = TypeVar("F", bound=Callable[..., Any])

UNAUTHORIZED = error(
    401,
    "The token is missing, expired or revoked. Refresh once; if that fails, sign in.",
    ("not_authenticated", "You are not signed in. Sign in and try again."),
    (
        "bad_authorization_header",
        "Authorization header must contain two space-delimited values",
    ),
    ("token_not_valid", "Your session has ended. Sign in again."),
    ("user_inactive", "This account is deactivated. Contact support."),
    ("user_not_found", "This account no longer exists."),
    name="UnauthorizedError",
)


def wrong_parameter(fields: dict[str, list[str]]) -> dict[int, OpenApiResponse]:
    """Describe the 400 of a request without a body."""
    example = OpenApiExample("a parameter", fields, response_only=True)
    return {400: OpenApiResponse(FieldErrors, "A parameter is wrong.", [example])}


def describe(*, responses: dict[int, Any], parameters: Any = (), **parts: Any) -> Callable[[F], F]:
    """Return drf-spectacular's decorator, with what all of these endpoints can answer."""
    return extend_schema(
        tags=["account"],
        responses={**responses, **UNAVAILABLE},
        parameters=[*parameters, RETRY_AFTER],
        **parts,
    )
