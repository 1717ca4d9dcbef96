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

    They come over plain HTTP and ask for an address instead of a host name: the redirect to TLS
    and ALLOWED_HOSTS are not for them. Nor is the log, which would be full of them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        return probe(request) if probe else self.get_response(request)
