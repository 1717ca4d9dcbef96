"""The access log: one line for each request, with an id that its other log lines have too."""

from __future__ import annotations

import logging
import random
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from token_blacklist.clients import client_of

from ..monitoring.logs import request_id

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
FIT = re.compile(r"[A-Za-z0-9_.:=-]{8,64}", re.ASCII)


def route_of(request: HttpRequest) -> str:
    """Return the pattern of the request's URL, never its path; "-" where there is none."""
    match = request.resolver_match
    return f"/{match.route.lstrip('^')}" if match else "-"


class AccessMiddleware:
    """Logs each request. Its id comes from the request, or is new, and is sent back.

    The line names the route and not the address: the link to a new password is an address, and
    a secret. For the same reason it has no query string. ACCESS_LOG says which requests have one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        shares = {"on": 1, "errors": 0, "off": 0}
        self.share = float(shares.get(settings.ACCESS_LOG, settings.ACCESS_LOG))
        self.errors: bool = settings.ACCESS_LOG != "off"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if FIT.fullmatch(given) else uuid.uuid4().hex
        request_id.set(name)
        started = time.perf_counter()
        response = self.get_response(request)
        if logger.isEnabledFor(logging.INFO) and self._is_wanted(response):
            self._tell(request, response, started)
        response.headers[HEADER] = name
        return response

    def _is_wanted(self, response: HttpResponseBase) -> bool:
        """Return whether to log it: an error, or in the share of ACCESS_LOG."""
        if response.status_code >= 400:
            return self.errors
        return random.random() < self.share  # noqa: S311  # no secret

    def _tell(self, request: HttpRequest, response: HttpResponseBase, started: float) -> None:
        facts = {
            "method": request.method,
            "route": route_of(request),
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
            "ip": client_of(request).ip_address,
        }
        line = "%(method)s %(route)s %(status)s %(ms)s ms"
        logger.info(line, facts, extra=facts)


def _forget_id(**kwargs: Any) -> None:
    """Forget the id after the last line of the request, which Django logs after all middleware."""
    request_id.set("-")


request_finished.connect(_forget_id, dispatch_uid=__name__)
