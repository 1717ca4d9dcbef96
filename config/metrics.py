"""Figures for Prometheus at /metrics, where METRICS_TOKEN says who may read them.

The web processes count what they do in files that they share; what is in the database, the
backlog and the flushes, is asked of it at each reading.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files import locks
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from token_blacklist import retention, signals
from token_blacklist.models import FlushRun

_held: list[IO[Any]] = []  # for the life of the process


def _slot() -> int:
    """Return a number that no other process of this machine has now, the lowest.

    The library keeps a file for each process and adds up all of them. Named by the process id, as
    it would have it, they grow in number with every worker that is recycled.
    """
    for number in count(1):
        file = (Path(settings.METRICS_DIR) / f"slot-{number}").open("ab")
        if locks.lock(file, locks.LOCK_EX | locks.LOCK_NB):
            _held.append(file)
            return number
        file.close()
    raise AssertionError


def start() -> None:
    """Count from now on. Called once, before the first request."""
    Path(settings.METRICS_DIR).mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = settings.METRICS_DIR  # read when it is imported
    from prometheus_client import Counter, values  # noqa: PLC0415

    slot = _slot()
    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: slot)  # type: ignore[no-untyped-call]

    def counts(signal: signals.Event, text: str, *labels: str) -> None:
        counter = Counter(signal.name, text, labels)

        def receive(sender: type, **facts: Any) -> None:
            (counter.labels(*(facts[name] for name in labels)) if labels else counter).inc()

        signal.connect(receive, weak=False, dispatch_uid="config.metrics")

    counts(signals.token_issued, "Sessions opened.")
    counts(signals.token_refreshed, "Refresh tokens that were replaced.")
    counts(signals.token_repeated, "Refreshes asked for again, within the grace.")
    counts(signals.token_reused, "Old refresh tokens that came back: thefts.")
    counts(signals.token_blacklisted, "Sessions ended, by reason.", "reason")
    counts(signals.token_refused, "Requests refused with 401, by code.", "code")


class DatabaseCollector:
    """What only the database knows, read when it is asked for. Two queries."""

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        deleted = FlushRun.objects.aggregate(
            outstanding=Sum("outstanding_deleted"), blacklisted=Sum("blacklisted_deleted")
        )
        flushed = CounterMetricFamily("tokens_flushed", "Rows deleted, by list.", labels=["list"])
        for name, rows in deleted.items():
            flushed.add_metric([name], rows or 0)
        yield flushed
        yield GaugeMetricFamily(
            "tokens_flush_backlog", "Sessions that wait to be flushed.", retention.waiting().count()
        )
        last = retention.last_flush()
        yield GaugeMetricFamily(
            "tokens_last_flush_timestamp_seconds",
            "When the last flush that was done began; 0 where there was none.",
            last.started_at.timestamp() if last else 0,
        )


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format; 404 where they are off, 401 without the token."""
    if not settings.METRICS_TOKEN:
        detail = _("Metrics are off. METRICS_TOKEN turns them on.")
        return JsonResponse({"detail": detail, "code": "not_found"}, status=HTTPStatus.NOT_FOUND)
    given = request.META.get("HTTP_AUTHORIZATION", "").encode(errors="replace")
    if not hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        detail = _("Send the METRICS_TOKEN: Authorization: Bearer ...")
        return JsonResponse(
            {"detail": detail, "code": "not_authenticated"},
            status=HTTPStatus.UNAUTHORIZED,
            headers={"WWW-Authenticate": "Bearer"},
        )
    from prometheus_client import (  # noqa: PLC0415
        CONTENT_TYPE_LATEST,
        CollectorRegistry,
        generate_latest,
        multiprocess,
    )

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(DatabaseCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
