"""A client of the API for Python: an httpx client that signs in and stays signed in.

    with Client("https://app.example.com") as api:
        api.sign_in("ada@example.com", "a-long-password")
        api.get("/api/me/").json()

`Client` is an `httpx.Client`, so timeouts, proxies and transports are httpx's. `TokenAuth` holds
the tokens and is an `httpx.Auth`, so any other httpx client can use the session as well.

- The access token is in memory only. It is refreshed shortly before it expires, and after a 401.
- One thread at a time refreshes. The others wait and use its result.
- The new refresh token goes to `save` before it is used for anything else.
- If a response is lost, the refresh is repeated: for ten seconds, the API answers the same.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from threading import RLock
from typing import Any, Literal, TypedDict, TypeGuard

import anyio.to_thread
import httpx

__all__ = ["ApiError", "Client", "Code", "Me", "SessionItem", "SignedOut", "TokenAuth"]

# Seconds to wait for the response, and then before the next attempt. All attempts begin within
# the API's ten seconds of grace; the last one has the timeout of the client.
ATTEMPTS = ((3.0, 0.5), (3.0, 2.0), (None, None))

# The codes of this API. Views of your own may add others.
Code = Literal[
    "bad_authorization_header",
    "cross_site",
    "csrf_failed",
    "email_not_verified",
    "incorrect_code",
    "invalid_client",
    "mfa_required",
    "no_active_account",
    "not_authenticated",
    "not_found",
    "not_signed_in",
    "parse_error",
    "payload_too_large",
    "permission_denied",
    "reauthentication_required",
    "throttled",
    "token_not_valid",
    "unavailable",
    "unsupported_media_type",
    "user_inactive",
    "user_not_found",
]


class Me(TypedDict):
    """The user who is signed in. Times are in ISO 8601."""

    id: int
    email: str
    name: str
    language: str
    date_joined: str


class SessionItem(TypedDict):
    """One sign-in of the user on one device. Times are in ISO 8601."""

    id: str
    device: str
    device_type: str
    ip: str | None
    signed_in: str | None
    last_active: str | None
    current: bool


class SignedOut(Exception):  # noqa: N818  # what happened, as in the client for JavaScript
    """No one is signed in, or the session has ended. Sign in again. The text is for the user."""


class ApiError(httpx.HTTPStatusError):
    """The API refused the request, or failed.

    Attributes:
        status: of the response.
        code: the error as a constant, or None if there is none, as with invalid fields.
        detail: a sentence for the user.
        fields: the messages about each invalid field of the body.
        retry_after: seconds to wait after a 429 or 503, or None.
        response: the whole response.
    """

    def __init__(self, response: httpx.Response) -> None:
        try:
            data = response.json()
        except ValueError:  # not from the API: a proxy's page
            data = None
        body: dict[str, Any] = data if isinstance(data, dict) else {}
        detail, code = body.get("detail"), body.get("code")
        wait = response.headers.get("Retry-After", "")
        self.status = response.status_code
        self.code: Code | str | None = code if isinstance(code, str) else None
        self.fields: dict[str, list[str]] = {
            name: messages
            for name, messages in body.items()
            if isinstance(messages, list) and all(isinstance(text, str) for text in messages)
        }
        texts = (text for messages in self.fields.values() for text in messages)
        self.detail = detail if isinstance(detail, str) else " ".join(texts)
        self.detail = self.detail or response.reason_phrase
        self.retry_after = int(wait) if wait.isdecimal() else None
        super().__init__(self.detail, request=response.request, response=response)


@dataclass(frozen=True)
class _Access:
    token: str
    user: str
    refresh_at: float  # of time.monotonic()

    @classmethod
    def of(cls, token: str) -> _Access:
        """Read the claims of a token that has just arrived.

        The lifetime counts, and not `exp`, because this computer's clock may be wrong.
        """
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        lifetime = claims["exp"] - claims["iat"]
        refresh_at = time.monotonic() + lifetime - min(30, lifetime / 5)
        return cls(token, str(claims["user_id"]), refresh_at)


class TokenAuth(httpx.Auth):
    """The tokens of one session, as the `auth` of any httpx client, also of an AsyncClient.

    A response can be lost, and httpx ends an auth flow then. So the flow does not yield the
    refresh: `http` sends it. In an AsyncClient it runs in a thread, where no cancellation can
    lose the new refresh token.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        refresh_token: str | None = None,
        save: Callable[[str | None], object] | None = None,
    ) -> None:
        """Start with a stored refresh token, or signed out.

        Args:
            http: sends the refreshes. Tokens go to the origin of its base URL alone.
            refresh_token: of the session to resume.
            save: stores each new refresh token, and deletes it when it is called with None. If it
                raises an error, the next request refreshes and calls it again.
        """
        self.lock = RLock()  # held while the tokens change
        self._http = http
        self._refresh_token = refresh_token
        self._save = save
        self._access: _Access | None = None

    @property
    def refresh_token(self) -> str | None:
        """The refresh token now valid, or None when signed out."""
        return self._refresh_token

    def access_token(self) -> str:
        """Return a valid access token.

        Raises:
            SignedOut: the session has ended.
            ApiError: the API refused for another reason, or failed.
            httpx.TransportError: there was no response. The session is still live.
        """
        return self._current().token

    def keep(self, access: str, refresh: str) -> None:
        """Take over a new pair of tokens, for example of a sign-up."""
        with self.lock:
            self._take(access, refresh)

    def forget(self) -> None:
        """Delete both tokens."""
        with self.lock:
            self._access = self._refresh_token = None
            if self._save:
                self._save(None)

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._may_have_token(request.url):
            yield request
            return
        access = self._current()
        response = yield _with(access, request)
        if response.status_code == 401:
            response.read()
            if _may_be_stale(response):
                yield _with(self._newer(access), request)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if not self._may_have_token(request.url):
            yield request
            return
        access = self._access
        if not _is_fresh(access):
            access = await anyio.to_thread.run_sync(self._current)
        response = yield _with(access, request)
        if response.status_code == 401:
            await response.aread()
            if _may_be_stale(response):
                yield _with(await anyio.to_thread.run_sync(self._newer, access), request)

    def _may_have_token(self, url: httpx.URL) -> bool:
        """Return whether it is a URL of the API: another server must not get the token."""
        base = self._http.base_url
        return (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)

    def _current(self) -> _Access:
        access = self._access
        return access if _is_fresh(access) else self._newer(access)

    def _newer(self, stale: _Access | None) -> _Access:
        """Return a newer access token than the stale one. Concurrent calls get the same."""
        with self.lock:
            access = self._access
            if access is stale or not _is_fresh(access):
                access = self._refresh()
        if stale and access.user != stale.user:  # never continue as another user
            raise SignedOut("Another user has signed in.")
        return access

    def _refresh(self) -> _Access:
        if self._refresh_token is None:
            raise SignedOut("Sign in first.")
        try:
            pair = self._next_pair(self._refresh_token)
        except ApiError as error:
            if error.status != 401:
                raise
            self.forget()
            raise SignedOut(error.detail) from error
        return self._take(**pair)

    def _take(self, access: str, refresh: str) -> _Access:
        self._access, self._refresh_token = None, refresh
        if self._save:
            self._save(refresh)
        self._access = taken = _Access.of(access)
        return taken

    def _next_pair(self, refresh: str) -> dict[str, str]:
        for timeout, wait in ATTEMPTS:
            try:
                options = {} if timeout is None else {"timeout": timeout}
                return _pair(_post(self._http, "refresh/", {"refresh": refresh}, **options))
            except (httpx.TransportError, ApiError) as error:
                may_help = not isinstance(error, ApiError) or error.status >= 500
                if wait is None or not may_help:
                    raise
                time.sleep(wait)
        raise AssertionError("not reached: the last attempt returns or raises")


class Client(httpx.Client):
    """An httpx client for the API. It raises ApiError for each response of 400 and above.

    Several threads can use it. Requests need a session, except those with `auth=None`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        refresh_token: str | None = None,
        save: Callable[[str | None], object] | None = None,
        **options: Any,
    ) -> None:
        """Start with a stored refresh token, or signed out.

        Args:
            base_url: where the site is, such as https://app.example.com.
            refresh_token: as for TokenAuth.
            save: as for TokenAuth.
            options: of httpx.Client, such as `timeout`, `headers` or `transport`.
        """
        self.tokens = TokenAuth(self, refresh_token=refresh_token, save=save)
        super().__init__(base_url=base_url, auth=self.tokens, **options)

    def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        """Send a request, with the arguments of httpx; `get()`, `post()` and the others call this.

        Raises:
            SignedOut: the session has ended.
            ApiError: the API refused, or failed.
            httpx.TransportError: there was no response.
        """
        return _checked(super().request(method, url, **options))

    def sign_in(
        self, email: str, password: str, *, code: str | None = None, remember: bool = True
    ) -> None:
        """Open a session. Sign out before, if there is one: it is not ended by this.

        Args:
            email: the e-mail address.
            password: the password.
            code: of the authenticator app, or a recovery code, after ApiError `mfa_required`.
            remember: False for a session that expires after 12 hours.

        Raises:
            ApiError: `no_active_account`, `mfa_required`, `incorrect_code`, `email_not_verified`
                or `throttled`.
        """
        body = {"email": email, "password": password, "remember": remember}
        if code is not None:
            body["code"] = code
        with self.tokens.lock:
            self.tokens.keep(**_pair(_post(self, "", body)))

    def sign_out(self) -> None:
        """End the session. Without a response, it raises httpx's error and is still live."""
        with self.tokens.lock:
            if self.tokens.refresh_token is None:
                return
            try:
                _post(self, "blacklist/", {"refresh": self.tokens.refresh_token})
            except ApiError as error:
                if error.status != 401:  # the session had already ended
                    raise
            self.tokens.forget()

    def change_password(self, old_password: str, new_password: str) -> None:
        """Change the password. It ends every session and opens a new one for this client.

        If the response is lost, sign in with the new password, and if that fails, the old one.
        """
        body = {"old_password": old_password, "new_password": new_password}
        with self.tokens.lock:  # no thread may refresh the session that this ends
            self.tokens.keep(**_pair(self.post("/api/password/change/", json=body)))

    def access_token(self) -> str:
        """Return a valid access token, for requests that httpx does not send."""
        return self.tokens.access_token()

    def me(self) -> Me:
        """Return the user who is signed in."""
        user: Me = self.get("/api/me/").json()
        return user

    def sessions(self) -> list[SessionItem]:
        """Return the live sessions of the user, the last active one first."""
        items: list[SessionItem] = self.get("/api/sessions/").json()
        return items

    def end_session(self, session_id: str) -> None:
        """Sign out one device. `session_id` is the `id` of a SessionItem."""
        self.delete(f"/api/sessions/{session_id}/")

    def end_other_sessions(self) -> int:
        """Sign out all other devices; return how many.

        Raises:
            ApiError: `reauthentication_required` if the sign-in was over ten minutes ago. Sign
                out, and in again.
        """
        ended: int = self.delete("/api/sessions/").json()["ended"]
        return ended


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise ApiError(response)
    return response


def _post(http: httpx.Client, path: str, body: object, **options: Any) -> httpx.Response:
    """Send a request about tokens, which needs no access token."""
    return _checked(http.request("POST", f"/api/token/{path}", json=body, auth=None, **options))


def _pair(response: httpx.Response) -> dict[str, str]:
    data = response.json()
    return {"access": data["access"], "refresh": data["refresh"]}


def _with(access: _Access, request: httpx.Request) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {access.token}"
    return request


def _is_fresh(access: _Access | None) -> TypeGuard[_Access]:
    return access is not None and time.monotonic() < access.refresh_at


def _may_be_stale(response: httpx.Response) -> bool:
    """Return whether a newer access token may be accepted. With this code it is refused as well."""
    return ApiError(response).code != "reauthentication_required"
