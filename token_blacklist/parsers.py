"""Reading request bodies of bounded size and depth, so that no body is a 500."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import RawPostDataException
from django.utils.translation import gettext_lazy as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from .exceptions import PayloadTooLarge


class _BoundedParser(parsers.BaseParser):
    """Reads at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, as UTF-8 whatever the request claims.

    DRF's parsers read the stream past Django's own limit, and decode with any codec that
    Python knows and a header names.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        try:
            body = stream.read(-1 if limit is None else limit + 1)
        except (OSError, RawPostDataException) as error:
            raise ParseError(_("The request body could not be read.")) from error
        if limit is not None and len(body) > limit:
            raise PayloadTooLarge()
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            return super().parse(BytesIO(body), media_type, context)
        except (RecursionError, SuspiciousOperation, UnicodeError) as error:
            raise ParseError(_("The request body is malformed.")) from error


class JSONParser(_BoundedParser, parsers.JSONParser):
    """JSON (RFC 8259)."""


class FormParser(_BoundedParser, parsers.FormParser):
    """`application/x-www-form-urlencoded`, the body of RFC 7009 section 2.1."""


class MultiPartParser(_BoundedParser, parsers.MultiPartParser):
    """`multipart/form-data`, as browsers send a FormData object. A file is refused."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        parsed: Any = super().parse(stream, media_type, parser_context)
        if parsed.files:
            raise ParseError(_("Files are not accepted here."))
        return parsed.data
