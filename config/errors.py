"""Error responses outside of the views: HTML pages, and JSON below /api/ and /_allauth/."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts.doors import PREFIX, refusal
from token_blacklist.exceptions import Unavailable, is_outage


def wants_json(request: HttpRequest) -> bool:
    return request.path_info.startswith(("/api/", PREFIX)) or not request.accepts("text/html")


def _json(request: HttpRequest, status: HTTPStatus, code: str, detail: str) -> JsonResponse:
    """Return the error in the format of the API that was asked."""
    if request.path_info.startswith(PREFIX):
        return refusal(status, code, detail)
    return JsonResponse({"detail": detail, "code": code}, status=status)


def _answer(request: HttpRequest, status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    if wants_json(request):
        return _json(request, status, code, detail)
    return render(request, f"{status.value}.html", {"detail": detail}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    detail = _("The server cannot process this request.")
    return _answer(request, HTTPStatus.BAD_REQUEST, "bad_request", detail)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    detail = _("You don't have permission to do this.")
    return _answer(request, HTTPStatus.FORBIDDEN, "permission_denied", detail)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(
        request, HTTPStatus.NOT_FOUND, "not_found", _("There is no page at this address.")
    )


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    detail = _("Too many attempts. Wait a few minutes and try again.")
    return _answer(request, HTTPStatus.TOO_MANY_REQUESTS, "throttled", detail)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_outage(sys.exception()):
        return unavailable(request)
    detail = _("The error is on our side. Nothing was changed. Try again.")
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "error", detail)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Return 503 during an outage of the database or the cache, as the API does. No query."""
    detail = _("The site is busy or restarting. Please try again in a moment.")
    response = _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, Unavailable.default_code, detail)
    response.headers["Retry-After"] = str(Unavailable.wait)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form without a valid CSRF token: usually its page was open for too long."""
    detail = _("This page was open for too long. Go back, reload it and try again.")
    if wants_json(request):
        return _json(request, HTTPStatus.FORBIDDEN, "csrf_failed", detail)
    return render(request, "403_csrf.html", {"detail": detail}, status=HTTPStatus.FORBIDDEN)


@csrf_exempt  # it changes nothing
def no_endpoint(request: HttpRequest, **where: Any) -> HttpResponse:
    """Return 404 for a URL of an API without an endpoint. Often the last slash is missing."""
    detail = _("There is no endpoint at this address.")
    if not request.path.endswith("/"):
        try:
            meant = resolve(f"{request.path_info}/").func
        except Resolver404:
            meant = no_endpoint
        if meant is not no_endpoint:
            detail = (
                _("There is no endpoint at this address. Did you mean %s?") % f"{request.path}/"
            )
    return _json(request, HTTPStatus.NOT_FOUND, "not_found", detail)
