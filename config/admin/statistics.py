"""Figures of the dashboard. Each is one SQL statement with a limited count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from token_blacklist.models import BlacklistedToken, FlushRun, OutstandingToken
from token_blacklist.sessions import flush

CHART_DAYS = 14
MAX_COUNT = 100_000  # rows counted at most; the dashboard then shows "100,000 or more"
MAX_LIVE_COUNT = 10_000  # lower, because each live session is looked up in the blacklist as well


@dataclass(frozen=True)
class Figure:
    """A count up to a limit."""

    count: int
    is_bounded: bool


@dataclass(frozen=True)
class Overview:
    """The figures of the dashboard. `days` has one entry per day, today last."""

    live: Figure
    signed_in: Figure
    signed_out: int
    reused: int
    days: list[tuple[date, dict[str, int]]]
    backlog: Figure
    last_flush: FlushRun | None
    flush_is_overdue: bool


def overview() -> Overview:
    """Return the current figures. Five statements."""
    now = timezone.now()
    days, recent = _ended(now)
    last = flush.last_flush()
    # Only this column, so that PostgreSQL needs only the index.
    backlog = flush.to_flush().order_by("expires_at").values("expires_at")[:MAX_COUNT]
    found = backlog.aggregate(count=Count("expires_at"), oldest=Min("expires_at"))
    return Overview(
        live=_count(OutstandingToken.objects.live(now).order_by("-pk"), MAX_LIVE_COUNT),
        signed_in=_count(OutstandingToken.objects.filter(created_at__gte=now - timedelta(days=1))),
        signed_out=sum(recent.values()),
        reused=recent[BlacklistedToken.Reason.REUSE],
        days=days,
        backlog=Figure(found["count"], is_bounded=found["count"] >= MAX_COUNT),
        last_flush=last,
        flush_is_overdue=bool(found["oldest"]) and flush.is_late(found["oldest"], last),
    )


def _count(rows: QuerySet[Any], most: int = MAX_COUNT) -> Figure:
    count = rows[:most].count()
    return Figure(count, is_bounded=count >= most)


def _ended(now: datetime) -> tuple[list[tuple[date, dict[str, int]]], Counter[str]]:
    """Count ended sessions by day and reason, and by reason for the last 24 hours."""
    today = timezone.localtime(now).date()
    days = [today - timedelta(days=back) for back in reversed(range(CHART_DAYS))]
    start = timezone.make_aware(datetime.combine(days[0], time()))
    by_day: dict[date, dict[str, int]] = {day: {} for day in days}
    recent: Counter[str] = Counter()
    is_recent = Q(blacklisted_at__gte=now - timedelta(days=1))
    for day, reason, count, lately in (
        BlacklistedToken.objects.filter(blacklisted_at__gte=start)
        .annotate(day=TruncDate("blacklisted_at"))
        .values_list("day", "reason")
        .annotate(count=Count("reason"), lately=Count("reason", filter=is_recent))
        .order_by()
    ):
        by_day.setdefault(day, {})[reason] = (
            count  # a server's clock may be ahead, so there can be a day more
        )
        recent[reason] += lately
    return list(by_day.items())[:CHART_DAYS], recent
