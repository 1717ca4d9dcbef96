"""The figures of the dashboard. Each is one statement, and none counts further than it is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from . import retention
from .models import BlacklistedToken, FlushRun, OutstandingToken

DAYS = 14
MOST = 100_000  # "100,000 or more" says enough


@dataclass(frozen=True)
class Figure:
    """How many, counted up to MOST."""

    count: int

    @property
    def is_bounded(self) -> bool:
        return self.count >= MOST


@dataclass(frozen=True)
class Overview:
    """What an operator wants to know at a glance. `days` has one entry a day, today's last."""

    live: Figure
    signed_in: Figure
    signed_out: int
    reused: int
    days: list[tuple[date, dict[str, int]]]
    waiting: Figure
    last_flush: FlushRun | None
    flush_is_overdue: bool


def overview() -> Overview:
    """Return the figures of now. At most eight statements."""
    now = timezone.now()
    yesterday = now - timedelta(days=1)
    ended = Counter(
        dict(
            BlacklistedToken.objects.filter(blacklisted_at__gte=yesterday)
            .values_list("reason")
            .annotate(count=Count("pk"))
            .order_by()
        )
    )
    return Overview(
        live=_count(OutstandingToken.objects.live(now)),
        signed_in=_count(OutstandingToken.objects.filter(created_at__gte=yesterday)),
        signed_out=sum(ended.values()),
        reused=ended[BlacklistedToken.Reason.REUSE],
        days=_days(now),
        waiting=_count(retention.waiting()),
        last_flush=retention.last_flush(),
        flush_is_overdue=retention.is_overdue(),
    )


def _count(rows: QuerySet[Any]) -> Figure:
    return Figure(rows.order_by()[:MOST].count())


def _days(now: datetime) -> list[tuple[date, dict[str, int]]]:
    """Count the sessions that were ended, by day and reason."""
    today = timezone.localtime(now).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    start = timezone.make_aware(datetime.combine(days[0], time()))
    counted: dict[date, dict[str, int]] = {day: {} for day in days}
    for day, reason, count in (
        BlacklistedToken.objects.filter(blacklisted_at__gte=start)
        .annotate(day=TruncDate("blacklisted_at"))
        .values_list("day", "reason")
        .annotate(count=Count("pk"))
        .order_by()
    ):
        if day in counted:  # a clock that is ahead writes tomorrow's
            counted[day][reason] = count
    return list(counted.items())
