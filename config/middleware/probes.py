"""Health checks and metrics, answered without the other middleware."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..monitoring import health, metrics

PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/health/live/": health.live,
    "/health/ready/": health.ready,
    "/metrics": metrics.metrics,
}


class ProbeMiddleware:
    """Answers probes before all other middleware.

    Probes use plain HTTP and an IP address instead of a host name, so they must not be redirected
    to TLS or refused by ALLOWED_HOSTS. They are not logged, because they would fill the log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        return probe(request) if probe else self.get_response(request)
