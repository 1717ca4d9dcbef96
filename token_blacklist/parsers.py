"""Request body parsers that limit size and depth. A malformed body is a 400, never a 500."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.core.signals import request_finished
from django.http import QueryDict, RawPostDataException
from django.http.multipartparser import MultiPartParser as DjangoMultiPartParser
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from .exceptions import PayloadTooLarge

_body: ContextVar[Any] = ContextVar("body", default=None)


class _BoundedParser(parsers.BaseParser):
    """Reads at most `max_size` bytes, always as UTF-8.

    A lower DATA_UPLOAD_MAX_MEMORY_SIZE limits it further. `request.data` is emptied at the end of
    the request, so code that runs longer, such as a thread, needs a copy.

    Not a subclass of DRF's parsers: they read the whole body, up to Django's limit, keep it with
    the request, and decode it with any codec that a header names.
    """

    max_size = 64 * 1024  # a token is the largest value that the endpoints take

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body.

        Raises:
            PayloadTooLarge: the body is larger than `max_size`.
            ParseError: it cannot be read, is malformed, or has text that UTF-8 cannot encode.
        """
        body = self._read(stream, _length_in(parser_context))
        try:
            parsed = self.parsed(body, media_type or self.media_type)
        except (RecursionError, SuspiciousOperation, UnicodeError) as error:
            raise ParseError(_("The request body is malformed.")) from error
        _body.set(parsed)
        return parsed

    def parsed(self, body: bytes, media_type: str) -> Any:
        """Return the parsed body. May raise ParseError, RecursionError or UnicodeError."""
        raise NotImplementedError

    def _read(self, stream: IO[Any], length: int) -> bytes:
        site_limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        limit = self.max_size if site_limit is None else min(self.max_size, site_limit)
        if length > limit:
            raise PayloadTooLarge()
        try:
            body: bytes = stream.read(limit + 1)
        except (OSError, RawPostDataException) as error:
            raise ParseError(_("The request body could not be read.")) from error
        if len(body) > limit:
            raise PayloadTooLarge()
        return body


class JSONParser(_BoundedParser):
    """JSON (RFC 8259): an object or a list."""

    media_type = "application/json"

    def parsed(self, body: bytes, media_type: str) -> Any:
        found = parsers.JSONParser().parse(BytesIO(body), media_type, {"encoding": "utf-8"})
        if not isinstance(found, dict | list):
            raise ParseError(_("The request body is malformed."))
        if b"\\u" in body:  # an escaped lone surrogate cannot be encoded or stored
            json.dumps(found, ensure_ascii=False).encode()
        return found


class FormParser(_BoundedParser):
    """`application/x-www-form-urlencoded`, the body of RFC 7009 section 2.1."""

    media_type = "application/x-www-form-urlencoded"

    def parsed(self, body: bytes, media_type: str) -> QueryDict:
        unquote_to_bytes(body).decode()  # QueryDict would replace invalid UTF-8
        return QueryDict(body, encoding="utf-8")


class _RefusesFiles(FileUploadHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise ParseError(_("Files are not accepted here."))


class MultiPartParser(_BoundedParser):
    """`multipart/form-data`, such as a FormData object of a browser. Files are refused."""

    media_type = "multipart/form-data"

    def parsed(self, body: bytes, media_type: str) -> QueryDict:
        head = {"CONTENT_TYPE": media_type, "CONTENT_LENGTH": len(body)}
        try:
            form, _files = DjangoMultiPartParser(
                head, BytesIO(body), [_RefusesFiles()], "utf-8"
            ).parse()
        except MultiPartParserError as error:
            raise ParseError(_("The request body is malformed.")) from error
        body.decode()  # Django replaces invalid UTF-8
        return form


def _length_in(parser_context: Mapping[str, Any] | None) -> int:
    """Return the Content-Length, or 0. A server may have cut the body off."""
    request = (parser_context or {}).get("request")
    try:
        return int(request.META["CONTENT_LENGTH"]) if request is not None else 0
    except (KeyError, ValueError):
        return 0


def _forget_body(**kwargs: Any) -> None:
    """Empty the parsed body after the request.

    Request, view, serializer and response are in reference cycles, which Python collects late.
    Until then they would keep the body, which can be large.
    """
    body = _body.get()
    _body.set(None)
    if isinstance(body, dict):
        dict.clear(body)  # a QueryDict is immutable
    elif isinstance(body, list):
        body.clear()


request_finished.connect(_forget_body, dispatch_uid=__name__)
