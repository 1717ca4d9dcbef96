"""Error handlers: HTML pages, or JSON below /api/ and /_allauth/."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts.request_checks import HEADLESS_PREFIX, refusal
from token_blacklist.exceptions import Unavailable, is_outage


def wants_json(request: HttpRequest) -> bool:
    return request.path_info.startswith(("/api/", HEADLESS_PREFIX)) or not request.accepts(
        "text/html"
    )


def _json(request: HttpRequest, status: HTTPStatus, code: str, detail: str) -> JsonResponse:
    """Return the error in the format of the requested API."""
    if request.path_info.startswith(HEADLESS_PREFIX):
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
    """Return 503 during an outage of the database or the cache, without a query."""
    detail = _("The site is busy or restarting. Please try again in a moment.")
    response = _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, Unavailable.default_code, detail)
    response.headers["Retry-After"] = str(Unavailable.wait)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return 403 for a missing or wrong CSRF token. Usually the page was open for too long."""
    detail = _("This page was open for too long. Go back, reload it and try again.")
    if wants_json(request):
        return _json(request, HTTPStatus.FORBIDDEN, "csrf_failed", detail)
    return render(request, "403_csrf.html", {"detail": detail}, status=HTTPStatus.FORBIDDEN)


@csrf_exempt  # changes nothing
def no_endpoint(request: HttpRequest, **where: Any) -> HttpResponse:
    """Return 404 for an API URL without an endpoint. Suggest the URL with a slash if it exists."""
    detail = _("There is no endpoint at this address.")
    if not request.path.endswith("/"):
        try:
            with_slash = resolve(f"{request.path_info}/").func
        except Resolver404:
            with_slash = no_endpoint
        if with_slash is not no_endpoint:
            detail = (
                _("There is no endpoint at this address. Did you mean %s?") % f"{request.path}/"
            )
    return _json(request, HTTPStatus.NOT_FOUND, "not_found", detail)
