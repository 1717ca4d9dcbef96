"""Counts and times requests for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPMethod

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..monitoring.logs import route_of
from ..monitoring.metrics import FAILURES, http_figures

# A client can send any word as the method, and each would become a separate series.
METHODS = frozenset(HTTPMethod)


class MetricsMiddleware:
    """Counts and times requests, if METRICS_TOKEN is set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.figures = http_figures()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        figures = self.figures
        figures.in_flight.inc()
        started = time.perf_counter()
        try:
            response = self.get_response(request)
        finally:
            figures.in_flight.dec()
        route = route_of(request)
        method = request.method if request.method in METHODS else "other"
        figures.duration.labels(route).observe(time.perf_counter() - started)
        figures.requests.labels(route, method, response.status_code).inc()
        if response.status_code in FAILURES:
            figures.failures.labels(response.status_code).inc()
        return response
