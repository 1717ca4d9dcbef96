"""How a line of the log looks: for people in DEBUG, JSON outside; with the request's id, never
with a token.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# Whatever a library or a client puts into a message: "eyJ" is how the base64 of `{"` begins.
TOKEN = re.compile(r"eyJ[\w-]*(?:\.[\w-]*){0,4}", re.ASCII)


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return TOKEN.sub("[token]", super().format(record))


class JSONFormatter(JsonFormatter):
    """One object a line: what each line has, and the facts that `extra` gives."""

    def format(self, record: logging.LogRecord) -> str:
        return TOKEN.sub("[token]", super().format(record))
