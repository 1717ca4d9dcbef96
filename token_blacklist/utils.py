"""Simple JWT's functions for times and translated texts, and a check for ids."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import lazy

IDENTIFIER_LENGTH = 255  # of the session_id column


def aware_utcnow() -> datetime:
    return _as_configured(datetime.now(UTC))


def datetime_to_epoch(dt: datetime) -> int:
    """Return whole seconds since 1970. A time without a time zone is in UTC."""
    return timegm(dt.utctimetuple())


def datetime_from_epoch(ts: float) -> datetime:
    return _as_configured(datetime.fromtimestamp(ts, UTC))


def make_utc(dt: datetime) -> datetime:
    """Return the time with UTC as its time zone, if it has none and USE_TZ is on."""
    return dt.replace(tzinfo=UTC) if settings.USE_TZ and timezone.is_naive(dt) else dt


def is_plain_text(value: Any) -> bool:
    """Return whether the value can be an id: a printable string of at most 255 characters.

    That excludes NUL and surrogates, which no database stores.
    """
    return isinstance(value, str) and 0 < len(value) <= IDENTIFIER_LENGTH and value.isprintable()


def _as_configured(dt: datetime) -> datetime:
    """Return the time in UTC without its time zone if USE_TZ is off."""
    return dt if settings.USE_TZ else dt.replace(tzinfo=None)


format_lazy = lazy(str.format, str)
