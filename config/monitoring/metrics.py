"""Metrics for Prometheus at /metrics, for requests with the METRICS_TOKEN.

The processes of a machine count in shared files (prometheus_client's multiprocess mode): three of
64 KiB per process, which stay and are added up when it has ended. Each scrape reads them all. The
server replaces a process after 20,000 requests, and empties the folder when it starts. Figures of
the database, such as the backlog of the flush, are read at each scrape.
"""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db.models import Count, Q, Sum
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import outbox
from token_blacklist import signals
from token_blacklist.models import BlacklistedToken, FlushRun
from token_blacklist.sessions import flush

logger = logging.getLogger(__name__)

FAILURES = (429, 500, 503)  # the statuses counted as failures
# The codes of a 401.
CODES = (
    "bad_authorization_header",
    "no_active_account",
    "token_not_valid",
    "user_inactive",
    "user_not_found",
)


def start_metrics() -> None:
    """Start counting if METRICS_TOKEN is set. Called once per process, before the first request.

    Raises:
        ImproperlyConfigured: METRICS_DIR cannot be written to.
    """
    if not settings.METRICS_TOKEN:
        return
    try:
        Path(settings.METRICS_DIR).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"METRICS_DIR is not writable: {error.strerror}.") from error
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = settings.METRICS_DIR  # read when it is imported
    from prometheus_client import Counter  # noqa: PLC0415

    def counts(signal: Signal, name: str, text: str, **known: tuple[str, ...]) -> None:
        """Count a signal by these labels, whose values are known in advance."""
        counter = Counter(name, text, known)
        # Prometheus sees the first increase only if the series existed before.
        for label, those in known.items():
            for value in those:
                counter.labels(**{label: value})

        def receive(sender: type, **facts: Any) -> None:
            (counter.labels(*(facts[label] for label in known)) if known else counter).inc()

        signal.connect(receive, weak=False, dispatch_uid=__name__)

    counts(signals.token_issued, "token_issued", "Sessions opened.")
    counts(signals.token_refreshed, "token_refreshed", "Refresh tokens that were replaced.")
    counts(
        signals.token_repeated,
        "token_repeated",
        "Refreshes that were repeated within the grace period.",
    )
    counts(
        signals.token_reused,
        "token_reused",
        "Old refresh tokens that were reused: possible thefts.",
    )
    counts(
        signals.token_blacklisted,
        "token_blacklisted",
        "Sessions ended, by reason.",
        reason=tuple(BlacklistedToken.Reason.values),
    )
    counts(
        signals.token_refused, "token_refused", "Requests refused with 401, by code.", code=CODES
    )
    counts(outbox.email_failed, "emails_failed", "Failed attempts to send an e-mail.")
    http_figures()


@dataclass(frozen=True)
class HTTPFigures:
    requests: Any
    failures: Any
    duration: Any
    in_flight: Any


@cache
def http_figures() -> HTTPFigures:
    """Return the metrics of HTTP requests, made once per process."""
    from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

    figures = HTTPFigures(
        Counter(
            "http_requests",
            "Requests answered, by route, method and status.",
            ["route", "method", "status"],
        ),
        Counter("http_failures", "Requests refused or failed, by status.", ["status"]),
        Histogram("http_request_duration_seconds", "Time to answer, by route.", ["route"]),
        Gauge(
            "http_requests_in_flight",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
        ),
    )
    for status in FAILURES:
        figures.failures.labels(status)
    figures.in_flight.set(0)
    return figures


class DatabaseCollector:
    """Metrics of the database, read at each scrape. Six queries at most.

    During an outage, `database_up` is 0 and the other metrics are missing.
    """

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        try:
            found = list(self._read())
        except DatabaseError as error:
            logger.error("the database did not answer: %s", type(error).__name__, exc_info=error)
            found = []
        yield GaugeMetricFamily("database_up", "Whether the database answers.", bool(found))
        yield from found

    def _read(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        ended = [value for value in FlushRun.Outcome.values if value != FlushRun.Outcome.RUNNING]
        sums = FlushRun.objects.aggregate(
            outstanding=Sum("outstanding_deleted"),
            blacklisted=Sum("blacklisted_deleted"),
            **{outcome: Count("pk", filter=Q(outcome=outcome)) for outcome in ended},
        )
        flushed = CounterMetricFamily("tokens_flushed", "Rows deleted, by list.", labels=["list"])
        for name in ("outstanding", "blacklisted"):
            flushed.add_metric([name], sums[name] or 0)
        yield flushed
        runs = CounterMetricFamily(
            "tokens_flush_runs", "Flushes that ended, by outcome.", labels=["outcome"]
        )
        for outcome in ended:
            runs.add_metric([outcome], sums[outcome])
        yield runs
        yield GaugeMetricFamily(
            "tokens_flush_backlog",
            "Expired sessions that are not deleted yet.",
            flush.to_flush().count(),
        )
        yield GaugeMetricFamily(
            "tokens_flush_overdue",
            "Whether the flush is overdue, by FLUSH_OVERDUE_AFTER.",
            flush.is_overdue(),
        )
        last = flush.last_flush()
        yield GaugeMetricFamily(
            "tokens_last_flush_timestamp_seconds",
            "Start of the last flush that finished; 0 if there was none.",
            last.started_at.timestamp() if last else 0,
        )
        emails = GaugeMetricFamily(
            "emails", "E-mails that wait to be sent, or could not be sent.", labels=["status"]
        )
        for status, count in outbox.counts().items():
            emails.add_metric([status], count)
        yield emails


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics in Prometheus' text format; 404 if they are off, 401 without the token."""
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
