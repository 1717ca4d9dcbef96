"""Rate limits in fixed windows, counted in the cache by client address and by account.

A view sets `throttle_scope`, and REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] has the rates: `<scope>`
per client, `<scope>_account` per account in the request body. Above a rate, the response is 429
with Retry-After. No check queries the database.

Django REST framework's own throttles keep a list of times, which each request reads and writes
back. At 100 requests an hour they let 375 to 396 of 800 through, when four processes sent them
at the same time with Django's file cache (three runs). They also have no limit per account.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from token_blacklist.clients import client_of

from .counts import Counts
from .device_cookie import device_of
from .models import normalize_email

counts = Counts()
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class WindowThrottle(BaseThrottle):
    """Counts the requests of each scope in fixed windows, over all processes."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request that the view will handle; return whether it is within its rates.

        Raises:
            PermissionDenied: a page of another site made a browser send the request.
        """
        scope = getattr(view, "throttle_scope", None)
        # Any page can make a browser send a GET, which would use up the visitor's attempts.
        is_idle = request.method in SAFE_METHODS or request.method not in view.allowed_methods
        if scope is None or is_idle:
            return True
        if _is_from_another_site(request):
            raise PermissionDenied(_("Requests from other sites are refused."), code="cross_site")
        return self.allows(scope, request, lambda: request.data)

    def allows(
        self, scope: str, request: Request | HttpRequest, data: Callable[[], object]
    ) -> bool:
        """Count a request; return whether it is within its rates."""
        rates: Any = api_settings.DEFAULT_THROTTLE_RATES
        # Check the address first: a blocked address must not be able to exhaust the account's
        # limit as well.
        rate = rates.get(scope)
        if rate and (who := _client(request)) and not self._is_within(scope, rate, who):
            return False
        name = f"{scope}_account"
        rate = rates.get(name)
        email = _email_in(data()) if rate else ""
        if not rate or not email:
            return True
        # A device that signed in to the account before has its own count, so that others who use up
        # the account's attempts do not lock its owner out.
        return self._is_within(name, rate, f"{email} {device_of(request, email)}")

    def wait(self) -> int:
        """Return the seconds until the window ends."""
        return self.seconds_left

    def _is_within(self, name: str, rate: str, who: str) -> bool:
        allowed, period = _parsed(rate)
        now = time.time()
        window = int(now // period)
        self.seconds_left = max(1, math.ceil((window + 1) * period - now))
        # A digest, because input is not a valid cache key, and the cache must not reveal addresses.
        key = f"throttle:{name}:{sha256(who.encode()).hexdigest()}:{window}"
        return counts.add(key, period) <= allowed


def seconds_to_wait(request: HttpRequest, scope: str, *, email: object) -> int | None:
    """Count a submitted form; return the seconds to wait if it exceeds a rate limit, or None."""
    throttle = WindowThrottle()
    return None if throttle.allows(scope, request, lambda: {"email": email}) else throttle.wait()


def _is_from_another_site(request: Request) -> bool:
    """Return whether a browser marks it so and the settings do not list its origin."""
    if request.META.get("HTTP_SEC_FETCH_SITE") not in {"cross-site", "same-site"}:
        return False
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return True
    csrf: Any = CsrfViewMiddleware(lambda _request: HttpResponse())
    return origin not in settings.CORS_ALLOWED_ORIGINS and not csrf._origin_verified(request)


def _client(request: Request | HttpRequest) -> str:
    """Return the client to count: the user, or the network of the address.

    Empty on a unix socket without NUM_PROXIES, where all clients would count as one.
    """
    if request.user.is_authenticated:
        return f"user {request.user.pk}"
    # If X-Forwarded-For is not an address, the proxy itself is counted.
    return _network(client_of(request).ip_address or request.META.get("REMOTE_ADDR", ""))


def _network(address: str) -> str:
    """Return the network of one client: for IPv6 its /64, which is what one household has."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(IPv6Address(int(ip) >> 64 << 64))
    return str(ip)


def _email_in(data: Any) -> str:
    """Return the normalized e-mail address in a body."""
    email = data.get("email") if isinstance(data, Mapping) else None
    # The types that a CharField accepts; others are refused before the password is checked.
    is_text = isinstance(email, str | int | float) and not isinstance(email, bool)
    return normalize_email(str(email)) if is_text else ""


def _parsed(rate: str) -> tuple[int, int]:
    """Return the number and the seconds of a rate such as "20/min"."""
    number, _slash, period = rate.partition("/")
    return int(number), SECONDS[period[0]]
