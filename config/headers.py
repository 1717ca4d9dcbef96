"""The headers Content-Security-Policy and Permissions-Policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

# Features that no page uses, so that an injected script cannot use them either.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    )
)


# In each error page of Django, which are shown in DEBUG only, and in no page of this project.
DEBUG_PAGE = b'<meta name="robots" content="NONE,NOARCHIVE">'


def is_debug_page(response: Any) -> bool:
    """Return whether it is an error page of Django, which has inline styles and scripts."""
    return (
        settings.DEBUG
        and response.status_code in {400, 404, 500}
        and not response.streaming
        and DEBUG_PAGE in response.content
    )


class PolicyMiddleware(CSPMiddleware):
    """Sends both policies with every answer; some paths need more than the rest.

    `settings.CSP_BY_PATH` gives the directives that differ, by the start of the path.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        parts = super().get_policy_parts(HttpRequest(), HttpResponse())
        self.usual = build_policy(**asdict(parts))  # once: it takes longer than signing a token

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if is_debug_page(response):
            return response
        if self.is_usual(request, response):
            response.headers.setdefault(HEADER, self.usual)
            return response
        return super().process_response(request, response)

    def is_usual(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        """Whether nothing asks for another policy: neither the path nor the view."""
        return (
            not request.path_info.startswith(tuple(settings.CSP_BY_PATH))
            and getattr(request, "_csp_nonce", None) is None
            and "_csp_" not in " ".join(vars(response))
        )

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        differ: dict[str, Any] = {}
        for path, directives in settings.CSP_BY_PATH.items():
            if request.path_info.startswith(path):
                differ |= directives
        if differ and not report_only:
            parts.replace = differ | dict(parts.replace or {})
        return parts
