"""What a browser may do with our answers: Content-Security-Policy and Permissions-Policy."""

from __future__ import annotations

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Nothing of all this is used. An answer that a stranger's script got into could not use it either.
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


class PolicyMiddleware(CSPMiddleware):
    """Sends both policies with every answer; some paths need more than the rest.

    `settings.CSP_BY_PATH` gives the directives that differ, by the start of the path.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return super().process_response(request, response)

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
