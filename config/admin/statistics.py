"""Reads the figures of the dashboard. Each is one statement with a limited count."""

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

DAYS = 14
MOST = 100_000  # counted; the dashboard shows "100,000 or more"
MOST_LIVE = 10_000  # of these, each is looked up in the other list


@dataclass(frozen=True)
class Figure:
    """A count up to a limit."""

    count: int
    is_bounded: bool


@dataclass(frozen=True)
class Overview:
    """The figures of the dashboard. `days` has one entry per day, today's last."""

    live: Figure
    signed_in: Figure
    signed_out: int
    reused: int
    days: list[tuple[date, dict[str, int]]]
    waiting: Figure
    last_flush: FlushRun | None
    flush_is_overdue: bool


def overview() -> Overview:
    """Return the current figures. Five statements."""
    now = timezone.now()
    days, recent = _ended(now)
    last = flush.last_flush()
    # Only this column, so that PostgreSQL reads its index and not the table.
    waiting = flush.to_flush().order_by("expires_at").values("expires_at")[:MOST]
    found = waiting.aggregate(count=Count("expires_at"), oldest=Min("expires_at"))
    return Overview(
        live=_count(OutstandingToken.objects.live(now).order_by("-pk"), MOST_LIVE),
        signed_in=_count(OutstandingToken.objects.filter(created_at__gte=now - timedelta(days=1))),
        signed_out=sum(recent.values()),
        reused=recent[BlacklistedToken.Reason.REUSE],
        days=days,
        waiting=Figure(found["count"], is_bounded=found["count"] >= MOST),
        last_flush=last,
        flush_is_overdue=bool(found["oldest"]) and flush.is_late(found["oldest"], last),
    )


def _count(rows: QuerySet[Any], most: int = MOST) -> Figure:
    count = rows[:most].count()
    return Figure(count, is_bounded=count >= most)


def _ended(now: datetime) -> tuple[list[tuple[date, dict[str, int]]], Counter[str]]:
    """Count the sessions that were ended: by day and reason, and by reason in 24 hours."""
    today = timezone.localtime(now).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
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
        by_day.setdefault(day, {})[reason] = count  # a clock that is ahead writes tomorrow's
        recent[reason] += lately
    return list(by_day.items())[:DAYS], recent
