"""The log: text in DEBUG, otherwise JSON; with the request's id, never with a token.

Does not import Django, because gunicorn logs before the settings are read.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# A token in the message of a library: "eyJ" is the base64 of `{"`.
TOKEN = re.compile(r"eyJ[\w-]*(?:\.[\w-]*){0,4}", re.ASCII)
# Django logs the path of a request that failed. The path of a password reset link is a secret.
LINK = re.compile(r"(/password/reset/[^/\s]+/)[^\s\"]+")
# Django logs a refused Referer, and gunicorn the URL of a broken request, with query strings.
QUERY = re.compile(r"(/[^\s/?]*)\?\S+")

PLAIN = (str, int, float, UUID, datetime, NoneType)


def without_secrets(line: str) -> str:
    return LINK.sub(r"\1[token]", TOKEN.sub("[token]", line))


def without_query(text: str) -> str:
    return QUERY.sub(r"\1?[query]", text) if "?" in text else text


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_query(without_secrets(super().format(record)))


class JSONFormatter(JsonFormatter):
    """One JSON object per line, with the plain values of `extra`.

    Other objects are left out: Django passes the request, whose text has the query string.
    """

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: without_query(value) if isinstance(value, str) else value
            for name, value in super().process_log_record(log_data).items()
            if isinstance(value, PLAIN)
        }

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def logging_config(level: str, form: str, stream: str) -> dict[str, Any]:
    """Return the argument of `logging.config.dictConfig`.

    `level` is the name of a level, `form` "line" or "json", `stream` "stdout" or "stderr".
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": RequestIdFilter},
            "first_traceback": {"()": "config.monitoring.outage.FirstTraceback"},
        },
        "formatters": {
            "line": {
                "()": LineFormatter,
                "format": "{asctime} {levelname} {name} [{request_id:.8}]: {message}",
                "style": "{",
            },
            "json": {
                "()": JSONFormatter,
                "format": "{asctime}{levelname}{name}{request_id}{message}",
                "style": "{",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
                "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            },
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "stream": f"ext://sys.{stream}",
                "filters": ["request_id", "first_traceback"],
                "formatter": form,
            }
        },
        "root": {"handlers": ["console"], "level": level},
        # Without handlers of their own, which would log each line twice.
        "loggers": {
            "django": {"handlers": [], "level": level},
            # A scanner's request. The access log has it, and it is no error of this project.
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL"},
            # runserver's line for each request. The access log has one without the query string.
            "django.server": {"handlers": [], "level": "ERROR"},
            "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
        },
    }
