"""Exceptions with their HTTP status and code, and the handler that turns them into responses."""

from __future__ import annotations

import logging
import math
import sys
from datetime import datetime
from typing import Any, Self

from django.contrib.auth import get_user_model
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status
from rest_framework.exceptions import ErrorDetail, NotAuthenticated, ParseError, Throttled
from rest_framework.response import Response

logger = logging.getLogger(__name__)
ErrorCodes = dict[int, tuple[str, ...]]  # the error codes by status, for schema.py


class TokenError(Exception):
    """The token is not valid. The message is for developers and never contains the token."""


class ExpiredTokenError(TokenError):
    """The signature is valid, but the token has expired."""


# Simple JWT's names for the errors of its TokenBackend.
TokenBackendError = TokenError
TokenBackendExpiredToken = ExpiredTokenError


class ClockError(Exception):
    """The clocks of the application and the database differ too much to decide what has expired."""

    def __init__(self, here: datetime, there: datetime) -> None:
        super().__init__(
            f"The clocks differ: it is {here:%Y-%m-%d %H:%M:%S} here and "
            f"{there:%Y-%m-%d %H:%M:%S} in the database. Nothing was deleted. "
            "Set the clock that is wrong, and try again."
        )


class AuthenticationFailed(exceptions.AuthenticationFailed):
    """401: the user is unknown or may not sign in.

    The body is `{"detail": ..., "code": ...}`, with more items if `detail` is a dict.
    """

    def __init__(self, detail: Any = None, code: str | None = None) -> None:
        body: dict[str, Any] = {"detail": self.default_detail, "code": self.default_code}
        if isinstance(detail, dict):
            body.update(detail)
        elif detail is not None:
            body["detail"] = detail
        if code is not None:
            body["code"] = code
        self.code = str(body["code"])
        super().__init__(body)


class InvalidToken(AuthenticationFailed):
    """401: the token is forged, expired, ended or of the wrong type."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_detail = _("Your session has ended. Sign in again.")
    default_code = "token_not_valid"

    @classmethod
    def because(cls, error: TokenError) -> Self:
        """Return a 401 with a user-facing `detail` and the technical reason in `messages`.

        Simple JWT has a message there for each class of tokens.
        """
        return cls({"messages": [{"message": error.args[0]}]})


class NotSignedIn(AuthenticationFailed):
    """401: a client that uses the refresh cookie has none. No token was refused."""

    default_detail = _("You are not signed in. Sign in and try again.")
    default_code = "not_signed_in"


class CookieFromAnotherOrigin(exceptions.PermissionDenied):
    """403: a page of another origin needs the refresh cookie, which its browser does not send.

    The message is for the developer of the page. A sign-in would not help its user.
    """

    default_detail = _(
        "The refresh cookie does not work from another origin. Use a proxy to serve the app and "
        "the API on one origin, or send the refresh token in the body. See docs/frontends.md."
    )
    default_code = "cross_site"


class ReauthenticationRequired(exceptions.APIException):
    """401: the token is valid, but the user has to prove again who they are (RFC 9470).

    No AuthenticationFailed, whose WWW-Authenticate DRF takes from the authentication class.
    """

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "reauthentication_required"

    def __init__(self, *, minutes: int, challenge: str) -> None:
        text = ngettext(
            "This requires a sign-in within the last %(minutes)d minute. Sign in again.",
            "This requires a sign-in within the last %(minutes)d minutes. Sign in again.",
            minutes,
        )
        super().__init__({"detail": text % {"minutes": minutes}, "code": self.default_code})
        self.auth_header = (
            f'{challenge}, error="insufficient_user_authentication", '
            f'error_description="A more recent sign-in is required", max_age="{minutes * 60}"'
        )


class Unavailable(exceptions.APIException):
    """503: the database or the cache did not answer. The request can be sent again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = _("The service is busy or restarting. Try again in a moment.")
    default_code = "unavailable"
    wait = 1  # seconds; DRF sends it as Retry-After


# https://sqlite.org/rescode.html: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN
# and PROTOCOL. Not by their names in the module sqlite3, which would take memory on PostgreSQL.
_SQLITE_OUTAGES = {5, 6, 7, 8, 9, 10, 13, 14, 15}
# SQLSTATE: connections, resources, operator intervention, the system, locks, deadlocks.
_POSTGRESQL_OUTAGES = ("08", "53", "57", "58", "55P03", "40001", "40P01")


def is_outage(error: BaseException | None) -> bool:
    """Return whether the database or a cache is unavailable, such as by a full disk.

    Wrong SQL, such as for a missing table, is not an outage. SQLite raises OperationalError for
    both.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return _is_outage_of_a_cache(error)
    cause = error.__cause__
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _SQLITE_OUTAGES  # the other bits are details
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)  # psycopg 3 and 2
    return state is None or state.startswith(_POSTGRESQL_OUTAGES)


def _is_outage_of_a_cache(error: BaseException | None) -> bool:
    redis: Any = sys.modules.get("redis.exceptions")  # loaded if the site uses Redis
    if redis is None:
        return False
    # The last two: a replica during a failover, a server that is out of memory.
    outages = (
        redis.ConnectionError,
        redis.TimeoutError,
        redis.ReadOnlyError,
        redis.OutOfMemoryError,
    )
    return isinstance(error, outages)


class PayloadTooLarge(exceptions.APIException):
    """413: the body is larger than any request here needs."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The request body is too large.")
    default_code = "payload_too_large"


def _wrong_credentials() -> str:
    if get_user_model().USERNAME_FIELD == "email":
        return gettext("The e-mail address or the password is wrong.")
    return gettext("The username or the password is wrong.")


WRONG_CREDENTIALS: Any = lazy(_wrong_credentials, str)()


def too_many(seconds: int) -> str:
    """Return the message for a user who has exceeded a rate limit."""
    text = ngettext(
        "Too many attempts. Try again in %(seconds)d second.",
        "Too many attempts. Try again in %(seconds)d seconds.",
        seconds,
    )
    return text % {"seconds": seconds}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Handle an exception as DRF does, and add its `code` to every `{"detail": ...}`.

    `detail` is a message for the user. Field errors are unchanged. If the database or cache is
    unavailable, the status is 503, not 500. For `REST_FRAMEWORK["EXCEPTION_HANDLER"]`; the token
    views always use it.
    """
    # DRF's views import the authentication classes of the settings, which import this module.
    from rest_framework.views import exception_handler as drf_handler  # noqa: PLC0415

    if is_outage(exc):
        logger.error("no answer from the database or cache: %s", type(exc).__name__, exc_info=exc)
        exc = Unavailable()
    elif isinstance(exc, RequestDataTooBig):
        exc = PayloadTooLarge()
    elif isinstance(exc, SuspiciousOperation):  # such as too many fields
        exc = ParseError(_("The request body is malformed."))
    elif isinstance(exc, NotAuthenticated) and exc.detail == NotAuthenticated.default_detail:
        sentence = _("You are not signed in. Sign in and try again.")
        exc.detail = ErrorDetail(str(sentence), code=exc.default_code)
    elif isinstance(exc, Throttled) and (seconds := getattr(exc, "wait", None)) is not None:
        exc.detail = ErrorDetail(too_many(math.ceil(seconds)), code=exc.default_code)
    response = drf_handler(exc, context)
    if response is not None and isinstance(response.data, dict):
        detail = response.data.get("detail")
        if "code" not in response.data and isinstance(detail, ErrorDetail):
            response.data["code"] = detail.code
    return response
