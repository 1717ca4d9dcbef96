"""Simple JWT's functions for the times in claims."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from .keys import epoch as datetime_to_epoch  # noqa: F401


def aware_utcnow() -> datetime:
    return datetime.now(UTC)


def datetime_from_epoch(ts: float) -> datetime:
    return datetime.fromtimestamp(ts, UTC)


def make_utc(dt: datetime) -> datetime:
    """Return the time with UTC as its time zone, if it has none."""
    return timezone.make_aware(dt, UTC) if timezone.is_naive(dt) else dt
