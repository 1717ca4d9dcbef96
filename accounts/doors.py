"""What stands before django-allauth's pages and its headless API, which answer 500 to some input.

The headless API takes whatever JSON Python reads: text that no database stores, numbers of
thousands of digits, deep nesting. A passkey can be malformed in many ways.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.permissions import SAFE_METHODS

from token_blacklist.exceptions import PayloadTooLarge
from token_blacklist.parsers import JSONParser

from .rate_limits import CROSS_SITE, is_from_another_site

PREFIX = "/_allauth/"
# Where a malformed passkey, or key of a link, raises any of these in fido2 and allauth.
READERS = ("/webauthn", "/auth/password/reset")
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error)


class DoorMiddleware:
    """Refuses what allauth's views cannot read, and requests of other sites to its headless API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and not key.isprintable():  # PostgreSQL refuses NUL, which a quoted cookie can have
            request.session = type(request.session)()
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Return the refusal, in the format of these views, or None. After the CSRF check."""
        if not request.path_info.startswith(PREFIX) or request.method in SAFE_METHODS:
            return None
        if is_from_another_site(request):
            return refusal(HTTPStatus.FORBIDDEN, "cross_site", str(CROSS_SITE))
        try:
            _require_json_object(request)
        except APIException as error:
            return refusal(error.status_code, error.get_codes(), str(error.detail))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Make a malformed passkey or key a 400.

        Raises:
            BadRequest: the exception is one of its reader.
        """
        is_reader = any(part in request.path_info for part in READERS)
        if is_reader and request.method != "GET" and isinstance(error, MALFORMED):
            raise BadRequest("The passkey or key is malformed.") from error


def refusal(status: int, code: Any, message: str) -> JsonResponse:
    """Return an error as allauth's headless API writes it."""
    errors = [{"code": code, "message": message}]
    return JsonResponse({"status": status, "errors": errors}, status=status)


def _require_json_object(request: HttpRequest) -> None:
    """Read the body, which allauth reads again.

    Raises:
        APIException: it is neither empty nor a JSON object of a bounded size.
    """
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise PayloadTooLarge from error
    except (RawPostDataException, UnreadablePostError) as error:
        raise ParseError(_("The request body could not be read.")) from error
    if not body:
        return
    if request.content_type != JSONParser.media_type:
        raise UnsupportedMediaType(request.content_type or "")
    if not isinstance(JSONParser().parse(BytesIO(body)), dict):
        raise ParseError(_("The request body is malformed."))
