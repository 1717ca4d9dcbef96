"""Simple JWT's functions for times and translated texts, the field for times, a check for ids.

Inside the app, every time has a zone. If USE_TZ is off, two kinds have none: in the attributes of
models they are in TIME_ZONE, as Django reads and writes them, and in the arguments of token methods
in UTC, as with Simple JWT. `aware` and `as_utc` add the zone.
"""

from __future__ import annotations

import re
import time
from calendar import timegm
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models
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


def as_utc(dt: datetime) -> datetime:
    """Return the time with a zone. One without is in UTC."""
    return dt.replace(tzinfo=UTC) if timezone.is_naive(dt) else dt


def aware(dt: datetime) -> datetime:
    """Return the time with a zone. One without is in TIME_ZONE."""
    if timezone.is_aware(dt):
        return dt
    return timezone.make_aware(dt, timezone.get_default_timezone())


def aware_now() -> datetime:
    """Return the time. Without a zone, it would be that of the machine if TZ was not set."""
    return timezone.now() if settings.USE_TZ else datetime.fromtimestamp(time.time(), UTC)


def as_stored(value: Any) -> Any:
    """Return the value as an attribute of a model: a time has no zone if USE_TZ is off."""
    if settings.USE_TZ or not isinstance(value, datetime) or timezone.is_naive(value):
        return value
    return timezone.make_naive(value, timezone.get_default_timezone())


class TimeField(models.DateTimeField):  # type: ignore[type-arg]  # none at run time
    """A DateTimeField that can be written and compared with times that have a zone.

    Django refuses them on SQLite if USE_TZ is off.
    """

    def deconstruct(self) -> Any:
        """Return a DateTimeField, because the column is the same."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, kwargs

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if not connection.features.supports_timezones:
            value = as_stored(value)
        return super().get_db_prep_value(value, connection, prepared)


def is_plain_text(value: Any) -> bool:
    """Return whether the value can be an id of the app: at most 255 printable characters."""
    return isinstance(value, str) and 0 < len(value) <= IDENTIFIER_LENGTH and value.isprintable()


def is_storable(text: str) -> bool:
    """Return whether databases can store the text: neither empty, nor with NUL or surrogates."""
    return text != "" and "\0" not in text and not re.search("[\ud800-\udfff]", text)


def _as_configured(dt: datetime) -> datetime:
    """Return the time in UTC without its time zone if USE_TZ is off."""
    return dt if settings.USE_TZ else dt.replace(tzinfo=None)


format_lazy = lazy(str.format, str)
