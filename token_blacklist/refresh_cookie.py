"""The HttpOnly cookie that keeps the refresh token of a browser."""

from __future__ import annotations

from django.http.response import HttpResponseBase

from .conf import conf
from .exceptions import TokenError
from .keys import token_backend
from .tokens import REMEMBER_CLAIM


def set_refresh_cookie(response: HttpResponseBase, token: str) -> None:
    """Put a token that was just signed into the cookie, which ends as the token says.

    With `remember` false it is a session cookie: the browser deletes it when it is closed.
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
    except TokenError:  # a serializer of the site returns another kind of token
        return True
