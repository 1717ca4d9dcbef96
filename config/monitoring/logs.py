"""The log: text in DEBUG, otherwise JSON; with the request's id, never with a token or a path.

Works without Django's settings, because gunicorn logs before they are read.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from time import monotonic
from types import NoneType
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# A token in the message of a library: "eyJ" is the base64 of `{"`.
TOKEN = re.compile(r"eyJ[\w-]*(?:\.[\w-]*){0,4}", re.ASCII)
# The first segment of a path, if it is a short word: no secret is.
FIRST_SEGMENT = re.compile(r"/[A-Za-z]{0,16}(?![\w-])")
# What gunicorn quotes of a request that is no HTTP.
QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)
# Django logs a refused Referer. It can be the page of a link.
ADDRESS = re.compile(r"(https?://[^\s/]+)/\S*")
QUERY = re.compile(r"(/[^\s/?]*)\?\S+")

# No line has these, and they take 1.4 of the 4 microseconds of a record ("Optimization" in Python's
# logging HOWTO).
logging.logThreads = logging.logProcesses = False
logging.logMultiprocessing = False
logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # new in Python 3.12

PLAIN = (str, int, float, UUID, datetime, NoneType)


def without_secrets(line: str) -> str:
    return TOKEN.sub("[token]", line)


def without_query(text: str) -> str:
    return QUERY.sub(r"\1?[query]", text) if "?" in text else text


def outline_of(path: str) -> str:
    """Return the first segment of a path and its length: any other part can be a secret."""
    first = FIRST_SEGMENT.match(path)
    return f"{first[0] if first else '/'} ({len(path)} characters)"


def route_of(request: Any) -> str:
    """Return the pattern of the request's URL, never its path; "-" if there is none."""
    match = request.resolver_match
    return _readable(match.route) if match else "-"


@cache
def _readable(route: str) -> str:
    """Return the pattern of a URL with the names of its groups, also of one by `re_path`."""
    from django.contrib.admindocs.views import simplify_regex  # noqa: PLC0415  # needs the settings

    return str(simplify_regex(route)) if "(" in route else f"/{route.lstrip('^')}"


class PathFilter(logging.Filter):
    """Removes the paths of requests: the one of a password reset link, for example, is a secret.

    Django logs the path of each request that fails, and gunicorn the URL of a broken request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request: Any = getattr(record, "request", None)
        is_gunicorns = record.name == "gunicorn.error" and record.levelno >= logging.WARNING
        if not is_gunicorns and not hasattr(request, "resolver_match"):
            return True
        if is_gunicorns and not record.args:
            record.msg = QUOTED.sub("[text]", str(record.msg))
        elif is_gunicorns and str(record.msg).startswith("Error handling request"):
            *others, url = tuple(record.args or ())
            record.msg %= (*others, outline_of(str(url)))
            record.args = ()  # a second filter, of settings that were read again, changes nothing
        elif request is not None:
            record.args = _without_path(record.args, request)
        return True


def _without_path(args: Any, request: Any) -> Any:
    """Return the arguments of a line with the route, or an outline, for the request's path."""
    if not isinstance(args, tuple):
        return args
    path = request.path.encode("unicode_escape").decode("ascii")  # as Django logs it
    place = route_of(request) if request.resolver_match else outline_of(request.path)
    return tuple(
        place if arg == path else ADDRESS.sub(r"\1/", arg) if isinstance(arg, str) else arg
        for arg in args
    )


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def _may_be_outage(error: object) -> bool:
    return isinstance(error, DatabaseError) or type(error).__module__ == "redis.exceptions"


def _is_outage(error: Any) -> bool:
    from token_blacklist.exceptions import is_outage  # noqa: PLC0415  # it needs the settings

    return is_outage(error)


class TracebackFilter(logging.Filter):
    """Keeps one traceback of an outage of the database or cache per minute and logger."""

    def __init__(self) -> None:
        super().__init__()
        self.kept_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info and record.exc_info[1]
        if _may_be_outage(error) and _is_outage(error):
            if monotonic() < self.kept_at.get(record.name, -60) + 60:
                record.exc_info = record.exc_text = None
            else:
                self.kept_at[record.name] = monotonic()
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
            "path": {"()": PathFilter},
            "request_id": {"()": RequestIdFilter},
            "traceback": {"()": TracebackFilter},
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
                "filters": ["request_id", "traceback"],
                "formatter": form,
            }
        },
        "root": {"handlers": ["console"], "level": level},
        # Without handlers of their own, which would log each line twice.
        "loggers": {
            "django": {"handlers": [], "level": level},
            # Filters of the loggers, so that no other handler, such as Sentry's, gets a path.
            "django.request": {"filters": ["path"]},
            "django.security.csrf": {"filters": ["path"]},
            # A scanner's request. The access log has it, and it is no error of this project.
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL"},
            # runserver's line for each request. The access log has one without the query string.
            "django.server": {"handlers": [], "level": "CRITICAL"},
            # Without a handler, it would add one that writes each line twice.
            "post_office": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "gunicorn.error": {
                "handlers": [],
                "level": level,
                "propagate": True,
                "filters": ["path"],
            },
        },
    }
