"""Rate limits of the API, counted by django-allauth with the rates in ACCOUNT_RATE_LIMITS."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from token_blacklist.exceptions import ErrorCodes, is_outage

PERIOD_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
CROSS_SITE = _("Requests from other sites are refused.")
# Tokens cannot be guessed, so these continue without a limit while the cache is down.
MAY_GO_UNCOUNTED = {"refresh", "introspect"}


class RateLimit(BaseThrottle):
    """Limits the requests to a view by its `throttle_scope`, across all processes.

    Django REST framework's own throttles are not atomic: with a limit of 100 requests an hour,
    they allowed 375 to 396 of 800 that four processes sent at the same time (three runs).
    """

    error_codes: ErrorCodes = {403: ("cross_site",)}

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request; return whether it is within the rates.

        Raises:
            PermissionDenied: a page of another site made a browser send the request.
        """
        self.scope = getattr(view, "throttle_scope", None)
        is_idle = request.method in SAFE_METHODS or request.method not in view.allowed_methods
        if self.scope is None or is_idle:
            return True
        if is_from_another_site(request):
            raise PermissionDenied(CROSS_SITE, code="cross_site")
        return self._is_within_rates(request)

    def wait(self) -> int:
        """Return the seconds after which the request is certainly allowed again."""
        return longest_wait(self.scope)

    def _is_within_rates(self, request: Request) -> bool:
        # Some limits count by user. Django's request does not have the user of a token.
        http: Any = request._request
        user = request.user
        try:
            return bool(ratelimit.consume(http, action=self.scope, user=user))
        except Exception as error:
            if self.scope in MAY_GO_UNCOUNTED and is_outage(error):
                return True
            raise


def longest_wait(action: str | None) -> int:
    """Return the longest period of the action's rates, in seconds: for `Retry-After`."""
    rates = settings.ACCOUNT_RATE_LIMITS[action].split(",")  # such as "10/m/ip,5/5m/key"
    periods = (rate.split("/")[1] for rate in rates)
    return max(int(period[:-1] or 1) * PERIOD_SECONDS[period[-1]] for period in periods)


def is_from_another_site(request: Request | HttpRequest) -> bool:
    """Return whether a page on an origin that the settings do not list sent the request.

    Such a page could use up its visitor's attempts. Only browsers send these headers.
    """
    if request.META.get("HTTP_SEC_FETCH_SITE") not in {"cross-site", "same-site"}:
        return False
    origin = request.META.get("HTTP_ORIGIN", "")
    listed = (*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS)
    # `https://*.example.com` includes the domain itself.
    return not any(
        fnmatchcase(origin, pattern)
        for each in listed
        for pattern in (each, each.replace("*.", ""))
    )
