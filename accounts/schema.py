"""The parts of the OpenAPI description that the account endpoints share."""

from __future__ import annotations

from functools import partial

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from token_blacklist import schema
from token_blacklist.schema import FieldErrors, error

describe = partial(schema.describe, tags=["account"])

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
