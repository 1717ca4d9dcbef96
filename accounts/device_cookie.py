"""A signed cookie by which a browser proves that it signed in to an account before.

The rate limits count such a browser separately, so that a stranger who uses up an account's
attempts does not lock its owner out. The cookie does not sign anybody in.

A new password leaves it valid. It proves less than a password, and an owner who has just had to
choose a new one is the user who needs it most; to end it would take a query for each attempt.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

SALT = "accounts.device_cookie"
LIFETIME = timedelta(days=365)  # from the last sign-in
MOST_ACCOUNTS = 5  # the ones that signed in last, on a device that several users share


def device_of(request: Request | HttpRequest, email: str) -> str:
    """Return the id of the device, if it signed in to the account before; else ""."""
    device, accounts = _read(request)
    return device if accounts and _digest(device, email) in accounts else ""


def remember(user: Any, request: Request | HttpRequest | None) -> None:
    """Set the cookie in the response to this sign-in. For ON_LOGIN_SUCCESS."""
    if request is not None:
        http: Any = getattr(request, "_request", request)  # DRF wraps Django's
        http.signed_in_to = user.email


class DeviceCookieMiddleware:
    """Sets the cookie in the response to a successful sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if email := getattr(request, "signed_in_to", ""):
            response.set_signed_cookie(
                settings.DEVICE_COOKIE_NAME,
                _with_account(request, email),
                salt=SALT,
                max_age=LIFETIME,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Strict",
            )
        return response


def _read(request: Request | HttpRequest) -> tuple[str, list[str]]:
    """Return the device's id and the digests of its accounts; none for a bad or old cookie."""
    value = request.get_signed_cookie(
        settings.DEVICE_COOKIE_NAME, default="", salt=SALT, max_age=LIFETIME
    )
    device, *accounts = (value or "").split(".")
    return device, accounts


def _with_account(request: HttpRequest, email: str) -> str:
    device, accounts = _read(request)
    device = device or secrets.token_urlsafe(16)
    account = _digest(device, email)
    others = [other for other in accounts if other != account]
    return ".".join([device, account, *others[: MOST_ACCOUNTS - 1]])


def _digest(device: str, email: str) -> str:
    """Return a digest of the account that differs on each device and does not reveal it."""
    return salted_hmac(f"{SALT} {device}", email, algorithm="sha256").hexdigest()
