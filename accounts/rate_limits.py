"""The rate limits of the API, which are django-allauth's: ACCOUNT_RATE_LIMITS has the rates."""

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

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
CROSS_SITE = _("Requests from other sites are refused.")
# Nobody guesses a token, so these go on while the cache, which counts, is away.
MAY_GO_UNCOUNTED = {"refresh", "introspect"}


class RateLimit(BaseThrottle):
    """Counts the requests to a view under its `throttle_scope`, over all processes.

    Django REST framework's own throttles are not atomic: at 100 requests an hour they let 375 to
    396 of 800 through, when four processes sent them at the same time (three runs).
    """

    error_codes: ErrorCodes = {403: ("cross_site",)}

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request that the view will handle; return whether it is within its rates.

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
        """Return the seconds until the limit has certainly passed."""
        return longest_wait(self.scope)

    def _is_within_rates(self, request: Request) -> bool:
        # Django's request has no user of a token, by whom some limits count.
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
    return max(int(period[:-1] or 1) * SECONDS[period[-1]] for period in periods)


def is_from_another_site(request: Request | HttpRequest) -> bool:
    """Return whether a page of another site sent it, whose origin the settings do not list.

    Such a page would use up the attempts of its visitor. Only browsers send these headers.
    """
    if request.META.get("HTTP_SEC_FETCH_SITE") not in {"cross-site", "same-site"}:
        return False
    origin = request.META.get("HTTP_ORIGIN", "")
    listed = (*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS)
    # Of `https://*.example.com`, the domain itself is one.
    return not any(
        fnmatchcase(origin, pattern)
        for each in listed
        for pattern in (each, each.replace("*.", ""))
    )
