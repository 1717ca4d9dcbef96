"""The access log: one line per request, with the id that all log lines of the request have."""

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
from token_blacklist.signals import LoggedEvent, collected

from ..monitoring.logs import request_id, route_of

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
LINE = "%(method)s %(route)s %(status)s %(ms)s ms"
LINE_WITH_EVENT = f"{LINE} %(event)s"
VALID_ID = re.compile(r"[A-Za-z0-9_.:=-]{8,64}", re.ASCII)


class AccessMiddleware:
    """Logs each request, and returns its id: the one in the request, or a new one.

    The line has the route instead of the path and the query string, because the path of a password
    reset link is a secret. ACCESS_LOG selects the requests to log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        shares = {"on": 1, "errors": 0, "off": 0}
        self.share = float(shares.get(settings.ACCESS_LOG, settings.ACCESS_LOG))
        self.errors: bool = settings.ACCESS_LOG != "off"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        name = sent if VALID_ID.fullmatch(sent) else uuid.uuid4().hex
        request_id.set(name)
        started = time.perf_counter()
        with collected() as events:
            response = self.get_response(request)
            if logger.isEnabledFor(logging.INFO) and self._is_wanted(response):
                self._log(request, response, started, events)
        response.headers[HEADER] = name
        return response

    def _is_wanted(self, response: HttpResponseBase) -> bool:
        """Return whether to log the request: it is an error, or in the share of ACCESS_LOG."""
        if response.status_code >= 400:
            return self.errors
        return random.random() < self.share  # noqa: S311  # no secret

    def _log(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        started: float,
        events: list[LoggedEvent],
    ) -> None:
        fields = {
            "method": request.method,
            "route": route_of(request),
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
            "ip": client_of(request).ip_address,
        }
        if not events:
            logger.info(LINE, fields, extra=fields)
            return
        event = events.pop()
        logger.info(LINE_WITH_EVENT, {**fields, "event": event}, extra=fields | event.fields)


def _forget_id(**kwargs: Any) -> None:
    """Reset the id. Django logs the last line of a request after all middleware."""
    request_id.set("-")


request_finished.connect(_forget_id, dispatch_uid=__name__)
