"""Middleware that refuses malformed input to django-allauth, which would answer it with 500.

allauth's headless API accepts any JSON that Python can parse: text that no database can store,
numbers with thousands of digits, deep nesting. A passkey can be malformed in many ways.
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

HEADLESS_PREFIX = "/_allauth/"
# On these paths, fido2 and allauth raise these errors for a malformed passkey or reset key.
PARSING_PATHS = ("/webauthn", "/auth/password/reset")
PARSE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error)


class RequestChecksMiddleware:
    """Refuses input that allauth's views cannot read, and cross-site calls of its headless API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and not key.isprintable():  # a quoted cookie can contain NUL; PostgreSQL refuses it
            request.session = type(request.session)()
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Return an error response in allauth's format, or None. Runs after the CSRF check."""
        if not request.path_info.startswith(HEADLESS_PREFIX) or request.method in SAFE_METHODS:
            return None
        if is_from_another_site(request):
            return refusal(HTTPStatus.FORBIDDEN, "cross_site", str(CROSS_SITE))
        try:
            _require_json_object(request)
        except APIException as error:
            return refusal(error.status_code, error.get_codes(), str(error.detail))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Answer a malformed passkey or reset key with 400.

        Raises:
            BadRequest: the exception came from parsing one.
        """
        is_reader = any(part in request.path_info for part in PARSING_PATHS)
        if is_reader and request.method != "GET" and isinstance(error, PARSE_ERRORS):
            raise BadRequest("The passkey or key is malformed.") from error


def refusal(status: int, code: Any, message: str) -> JsonResponse:
    """Return an error response in the format of allauth's headless API."""
    errors = [{"code": code, "message": message}]
    return JsonResponse({"status": status, "errors": errors}, status=status)


def _require_json_object(request: HttpRequest) -> None:
    """Read and check the body. Django keeps it, so allauth can read it again.

    Raises:
        APIException: the body is neither empty nor a JSON object within the size limit.
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
