"""How a client talks to each package: the endpoints that its documentation names."""

from __future__ import annotations

import base64
import http.client
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from benchmarks.sites import OURS, PEER, PROJECTS, ROOT, Site
from benchmarks.stock import PASSWORD

BUILD = ROOT / "build" / "compare"
PYTHON = str(BUILD / "venv" / "bin" / "python")
LAPTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"
)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
NEW_PASSWORD = "another long password"


def peer(title: str, database: str, settings: str, **more: Any) -> Site:
    return Site(title, f"{PROJECTS}.{settings}", database, python=PYTHON, **more)


@dataclass(frozen=True)
class Tokens:
    """What a client keeps. `other` is a further secret that the server handed out."""

    access: str
    refresh: str = ""
    other: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return self.status in {200, 201, 204}


class Client(ABC):
    """One package, as its client sees it."""

    title: str
    package: str  # on the registry; empty for this project
    site: Site
    option: Site | None = None  # the site with its stricter checks
    option_name = ""
    scheme = "Bearer"
    flush = ""
    expired_rows = ""  # an INSERT of {count} rows that its flush deletes
    records: ClassVar[tuple[str, ...]] = ()  # the tables that know a session
    admin: ClassVar[tuple[str, str] | None] = None  # the model, and what support does to it

    # The endpoints. A package that has none for it leaves the method None; `end_other` ends the
    # sessions of the list that are not this one.
    _refresh: Callable[..., Answer] | None = None
    sign_out: Callable[..., None] | None = None
    sign_out_everywhere: Callable[..., None] | None = None
    change_password: Callable[..., Answer] | None = None
    sessions: Callable[..., list[Any]] | None = None
    end_other: Callable[..., None] | None = None

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def refreshes(self) -> bool:
        return self._refresh is not None

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        access: str = "",
        agent: str = LAPTOP,
        **headers: str,
    ) -> Answer:
        headers |= {"Content-Type": "application/json", "User-Agent": agent}
        if access:
            headers["Authorization"] = f"{self.scheme} {access}"
        connection = http.client.HTTPConnection("localhost", self.port, timeout=60)
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        is_json = "json" in answer.headers.get("Content-Type", "")
        return Answer(answer.status, json.loads(text) if text and is_json else None)

    def _tokens(self, answer: Answer) -> Tokens:
        return Tokens(answer.body["access"], answer.body["refresh"])

    def sign_in(self, email: str, agent: str = LAPTOP) -> Tokens:
        answer = self._sign_in(email, agent)
        if not answer.ok:
            raise RuntimeError(f"{self.site.title} answered the sign-in with {answer}")
        return self._tokens(answer)

    @abstractmethod
    def _sign_in(self, email: str, agent: str) -> Answer:
        """Send the credentials."""

    def me(self, access: str) -> bool:
        return self.send("GET", "/api/me/", access=access).ok

    def refresh(self, token: str) -> Tokens | None:
        """Return the successor; None where the server refuses."""
        answer = self._refresh(token)
        return self._tokens(answer) if answer.ok else None


class SimpleJWT(Client):
    title = "Simple JWT"
    package = "djangorestframework-simplejwt"
    site = PEER
    option = replace(PEER, settings=f"{PROJECTS}.simple_jwt_option", database="simple_jwt_option")
    option_name = "CHECK_REVOKE_TOKEN"
    flush = "flushexpiredtokens"
    expired_rows = (
        "INSERT INTO token_blacklist_outstandingtoken (user_id, jti, token, created_at, expires_at)"
        " SELECT 1, md5(i::text), 'x', now() - interval '60 days', now() - interval '30 days'"
        " FROM generate_series(1, {count}) i"
    )
    records = ("token_blacklist_outstandingtoken",)
    admin = ("token_blacklist.BlacklistedToken", "add")

    def _sign_in(self, email: str, agent: str) -> Answer:
        return self.send(
            "POST", "/api/token/", {"username": email, "password": PASSWORD}, "", agent
        )

    def _refresh(self, token: str) -> Answer:
        return self.send("POST", "/api/token/refresh/", {"refresh": token})

    def sign_out(self, tokens: Tokens) -> None:
        self.send("POST", "/api/token/blacklist/", {"refresh": tokens.refresh})


class ThisProject(SimpleJWT):
    title = "this project"
    package = ""
    site = OURS
    option = None
    option_name = ""
    expired_rows = (
        "INSERT INTO token_blacklist_outstandingtoken (user_id, session_id, generation, created_at,"
        " refreshed_at, user_agent, expires_at) SELECT 1, md5(i::text), 0,"
        " now() - interval '60 days', now() - interval '60 days', '', now() - interval '30 days'"
        " FROM generate_series(1, {count}) i"
    )
    admin = ("token_blacklist.OutstandingToken", "end")

    def _sign_in(self, email: str, agent: str) -> Answer:
        return self.send("POST", "/api/token/", {"email": email, "password": PASSWORD}, "", agent)

    def sign_out_everywhere(self, tokens: Tokens) -> None:
        self.send("DELETE", "/api/sessions/?all=true", access=tokens.access)

    def change_password(self, tokens: Tokens) -> Answer:
        passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        return self.send("POST", "/api/password/change/", passwords, tokens.access)

    def sessions(self, tokens: Tokens) -> list[Any]:
        return self.send("GET", "/api/sessions/", access=tokens.access).body

    def end_other(self, tokens: Tokens) -> None:
        for each in self.sessions(tokens):
            if not each["current"]:
                self.send("DELETE", f"/api/sessions/{each['id']}/", access=tokens.access)


class JWTAllauth(Client):
    title = package = "django-jwt-allauth"
    # Its quick start runs makemigrations.
    site = peer(package, "jwt_allauth", "jwt_allauth", lacks_migrations="jwt_allauth")
    option = replace(site, database="jwt_allauth_option", settings=f"{site.settings}_option")
    option_name = "JWT_ALLAUTH_ACCESS_TOKEN_SESSION_CHECK"
    flush = "jwt_allauth_purge_tokens"
    expired_rows = (
        "INSERT INTO jwt_allauth_refreshtokenwhitelistmodel (user_id, jti, session, enabled,"
        " created) SELECT 1, md5(i::text), md5(i::text), true, now() - interval '60 days'"
        " FROM generate_series(1, {count}) i"
    )
    records = ("jwt_allauth_refreshtokenwhitelistmodel",)
    admin = ("jwt_allauth.RefreshTokenWhitelistModel", "delete")

    def _sign_in(self, email: str, agent: str) -> Answer:
        return self.send("POST", "/api/login/", {"email": email, "password": PASSWORD}, "", agent)

    def _refresh(self, token: str) -> Answer:
        return self.send("POST", "/api/refresh/", {"refresh": token})

    def sign_out(self, tokens: Tokens) -> None:
        self.send("POST", "/api/logout/", {"refresh": tokens.refresh}, tokens.access)

    def sign_out_everywhere(self, tokens: Tokens) -> None:
        self.send("POST", "/api/logout-all/", {}, tokens.access)

    def change_password(self, tokens: Tokens) -> Answer:
        new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        body = {"old_password": PASSWORD, **new}
        return self.send("POST", "/api/password/change/", body, tokens.access)


class AuthToken(Client):
    title = "REST framework's authtoken"
    package = "djangorestframework"
    site = peer(title, "authtoken", "authtoken")
    scheme = "Token"
    records = ("authtoken_token",)
    admin = ("authtoken.TokenProxy", "delete")

    def _tokens(self, answer: Answer) -> Tokens:
        return Tokens(answer.body["token"])

    def _sign_in(self, email: str, agent: str) -> Answer:
        return self.send(
            "POST", "/api/login/", {"username": email, "password": PASSWORD}, "", agent
        )


class Knox(AuthToken):
    title = "knox"
    package = "django-rest-knox"
    site = peer(title, "knox", "knox")
    records = ("knox_authtoken",)
    admin = ("knox.AuthToken", "delete")

    def _sign_in(self, email: str, agent: str) -> Answer:
        known = base64.b64encode(f"{email}:{PASSWORD}".encode()).decode()
        return self.send("POST", "/api/login/", {}, agent=agent, Authorization=f"Basic {known}")

    def sign_out(self, tokens: Tokens) -> None:
        self.send("POST", "/api/logout/", {}, tokens.access)

    def sign_out_everywhere(self, tokens: Tokens) -> None:
        self.send("POST", "/api/logoutall/", {}, tokens.access)


class Allauth(Client):
    title = "allauth headless"
    package = "django-allauth"
    site = peer(title, "headless", "headless")
    option = peer(title, "headless_option", "headless_option")
    option_name = "HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED"
    flush = "clearsessions"
    expired_rows = (
        "INSERT INTO django_session (session_key, session_data, expire_date)"
        " SELECT md5(i::text), 'x', now() - interval '30 days' FROM generate_series(1, {count}) i"
    )
    records = ("django_session", "usersessions_usersession")
    admin = ("usersessions.UserSession", "delete")
    root = "/_allauth/app/v1"

    def _tokens(self, answer: Answer) -> Tokens:
        meta = answer.body.get("meta", {})
        if "session_token" not in meta:  # the answer to a refresh
            data = answer.body["data"]
            return Tokens(data["access_token"], data.get("refresh_token", ""))
        return Tokens(meta["access_token"], meta["refresh_token"], meta["session_token"])

    def _sign_in(self, email: str, agent: str) -> Answer:
        body = {"email": email, "password": PASSWORD}
        return self.send("POST", f"{self.root}/auth/login", body, "", agent)

    def _refresh(self, token: str) -> Answer:
        return self.send("POST", f"{self.root}/tokens/refresh", {"refresh_token": token})

    def sign_out(self, tokens: Tokens) -> None:
        self.send("DELETE", f"{self.root}/auth/session", access=tokens.access)

    def change_password(self, tokens: Tokens) -> Answer:
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        return self.send("POST", f"{self.root}/account/password/change", body, tokens.access)

    def sessions(self, tokens: Tokens) -> list[Any]:
        return self.send("GET", f"{self.root}/auth/sessions", access=tokens.access).body["data"]

    def _end(self, tokens: Tokens, ids: list[int]) -> None:
        self.send("DELETE", f"{self.root}/auth/sessions", {"sessions": ids}, tokens.access)

    def sign_out_everywhere(self, tokens: Tokens) -> None:
        self._end(tokens, [each["id"] for each in self.sessions(tokens)])

    def end_other(self, tokens: Tokens) -> None:
        ids = [each["id"] for each in self.sessions(tokens) if not each["is_current"]]
        self._end(tokens, ids)

    def lets_in(self, session_key: str) -> bool:
        header = {"X-Session-Token": session_key}
        return self.send("GET", f"{self.root}/auth/session", **header).ok


CLIENTS = (ThisProject, SimpleJWT, JWTAllauth, Knox, Allauth, AuthToken)
