"""The check for reverse proxies, which works whatever host the proxy names."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property


class ForwardAuthMiddleware:
    """Lets requests for /api/token/check/ pass ALLOWED_HOSTS.

    A proxy that asks about a request to another site sends that site's host name. Nothing in the
    response depends on the name, so it is replaced by one of this site's. SECURE_REDIRECT_EXEMPT
    lets them pass without TLS.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    @cached_property
    def path(self) -> str:
        return reverse("token_check")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == self.path:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
        return self.get_response(request)
