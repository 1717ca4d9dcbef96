"""Access and refresh tokens for apps that sign in by django-allauth's headless API."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.headless.adapter import DefaultHeadlessAdapter
from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from rest_framework.exceptions import APIException

from token_blacklist.conf import conf
from token_blacklist.exceptions import TokenError
from token_blacklist.middleware import renew, take_token


class TokenStrategy(SessionTokenStrategy):  # type: ignore[misc]  # it has no types
    """Adds access and refresh tokens to allauth's session token.

    The session token connects the steps of a sign-in and ends with the session.
    """

    def lookup_session(self, session_token: str) -> SessionBase | None:
        """Return the session, or None. PostgreSQL would refuse a token with NUL."""
        if not session_token.isprintable():
            return None
        session: SessionBase | None = super().lookup_session(session_token)
        return session

    def create_access_token_payload(self, request: Any) -> dict[str, Any] | None:
        """Return the tokens of the session that this request opened, or None.

        allauth may build several responses and send the last one; all get the same tokens.
        """
        refresh = take_token(request)
        if refresh is not None:
            request._pair = {
                "access_token": str(refresh.access_token),
                "refresh_token": str(refresh),
                "expires_in": int(conf.ACCESS_TOKEN_LIFETIME.total_seconds()),
            }
        return getattr(request, "_pair", None)

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        """Return the next access and refresh tokens, as /api/token/refresh/ does, or None."""
        serializer = conf.TOKEN_REFRESH_SERIALIZER(
            data={"refresh": refresh_token}, context={"request": context.request}
        )
        try:
            serializer.is_valid(raise_exception=True)
        except (TokenError, APIException):
            return None
        pair = serializer.validated_data
        return pair["access"], pair.get("refresh", refresh_token)


class HeadlessAdapter(DefaultHeadlessAdapter):  # type: ignore[misc]  # it has no types
    def populate_response_meta(self, request: HttpRequest, meta: dict[str, Any]) -> None:
        """Add the tokens of the new session after a password change, which ends all others."""
        if request.allauth.headless.client == "app":  # type: ignore[attr-defined]  # allauth's
            meta |= TokenStrategy().create_access_token_payload(request) or {}


def keep_signed_in(request: HttpRequest, **kwargs: Any) -> None:
    """Open a new session after a password change. Receiver of allauth's `password_changed`."""
    renew(request)
