"""A device of a user: it signs in, holds its tokens, refreshes and signs out."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.core.signals import setting_changed
from rest_framework.test import APIClient, ForceAuthClientHandler

from token_blacklist.conf import conf

from .factories import PASSWORD

# Where a token begins, or its claims. A CSRF token may contain "eyJ" by chance, inside of it.
TOKEN = re.compile(r"(?:\b|%20)eyJ|eyJhbGci")


def user_id_claim(user: Any) -> str:
    """Return the user's id as it is in tokens."""
    return str(getattr(user, conf.USER_ID_FIELD))


def with_csrf() -> dict[str, str]:
    """Return the header that goes with the CSRF cookie of the fixture `browser`."""
    return {"HTTP_X_CSRFTOKEN": "a" * 32}


@cache
def handler(enforce_csrf_checks: bool) -> ForceAuthClientHandler:
    """Return the request handler that all devices share.

    A handler per client would load the middleware again, which takes as long as many requests.
    """
    return ForceAuthClientHandler(enforce_csrf_checks=enforce_csrf_checks)


def forget_handlers(**kwargs: Any) -> None:
    handler.cache_clear()


setting_changed.connect(forget_handlers)  # middleware reads settings when it is loaded


class Device:
    """Calls the API with the test client. `access` and `refresh_token` are its current tokens."""

    def __init__(self, user: Any, **client_options: Any) -> None:
        self.user = user
        self.http = APIClient(**client_options)
        self.http.handler = handler(self.http.handler.enforce_csrf_checks)
        self.access = self.refresh_token = ""

    def post(self, path: str, data: Any, **extra: Any) -> Any:
        return self.http.post(path, data, format="json", **extra)

    def log_in(self, **extra: Any) -> Any:
        return self._keep(self.post("/api/token/", {**self.credentials, **extra}))

    @property
    def credentials(self) -> dict[str, str]:
        return {self.user.USERNAME_FIELD: self.user.get_username(), "password": PASSWORD}

    def refresh(self, token: str | None = None) -> Any:
        """Refresh with the current or another token, and keep the new tokens."""
        return self._keep(
            self.post("/api/token/refresh/", {"refresh": token or self.refresh_token})
        )

    def change_password(self, new: str, old: str = PASSWORD, **extra: Any) -> Any:
        """Change the password with the current access token, and keep the new session's pair."""
        data = {"old_password": old, "new_password": new, **extra}
        return self._keep(self.post("/api/password/change/", data, **self.bearer))

    def log_out(self, token: str | None = None) -> Any:
        return self.post("/api/token/blacklist/", {"refresh": token or self.refresh_token})

    def verify(self, token: str) -> Any:
        return self.post("/api/token/verify/", {"token": token})

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header with the access token: `http.get(path, **bearer)`."""
        return {"HTTP_AUTHORIZATION": f"Bearer {self.access}"}

    def me(self, token: str | None = None) -> Any:
        return self.http.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {token or self.access}")

    def _keep(self, response: Any) -> Any:
        if response.status_code == 200:
            self.access = response.json()["access"]
            self.refresh_token = response.json().get("refresh", self.refresh_token)
        return response
