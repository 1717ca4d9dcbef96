"""The HttpOnly cookie that keeps the refresh token of a browser."""

from __future__ import annotations

from django.http.response import HttpResponseBase

from .conf import conf
from .exceptions import TokenError
from .keys import token_backend
from .tokens import REMEMBER_CLAIM


def set_refresh_cookie(response: HttpResponseBase, token: str) -> None:
    """Set the cookie to a newly signed token.

    It expires after REFRESH_TOKEN_LIFETIME. If the claim `remember` is false, it is a session
    cookie instead, which the browser deletes when it is closed.
    """
    lasts = conf.REFRESH_TOKEN_LIFETIME.total_seconds()
    response.set_cookie(
        conf.REFRESH_COOKIE_NAME,
        token,
        max_age=int(lasts) if _is_remembered(token) else None,
        path=conf.REFRESH_COOKIE_PATH,
        secure=conf.REFRESH_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def delete_refresh_cookie(response: HttpResponseBase) -> None:
    response.delete_cookie(
        conf.REFRESH_COOKIE_NAME, path=conf.REFRESH_COOKIE_PATH, samesite="Strict"
    )


def _is_remembered(token: str) -> bool:
    try:
        return token_backend.decode(token, verify=False).get(REMEMBER_CLAIM) is not False
    except TokenError:  # a site's own serializer may return another kind of token
        return True
