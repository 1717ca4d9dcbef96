"""Middleware that makes the sign-in page show that the session has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url


class EndedSessionMiddleware:
    """Adds `signed_out=over` to a redirect to the sign-in page if the user's session has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Location" not in response.headers:
            return response
        location = urlsplit(response.headers["Location"])
        is_sign_in = location.path == resolve_url(settings.LOGIN_URL)
        if is_sign_in and f"{REDIRECT_FIELD_NAME}=" in location.query and _has_ended(request):
            query = f"{location.query}&signed_out=over"
            response.headers["Location"] = location._replace(query=query).geturl()
        return response


def _has_ended(request: Any) -> bool:
    """Return whether the request had a Django session that has been flushed."""
    had_one = settings.SESSION_COOKIE_NAME in request.COOKIES
    return had_one and request.session.modified and request.session.is_empty()
