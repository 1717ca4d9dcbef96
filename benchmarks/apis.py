"""What the clients of each package send, and where its answers have the tokens."""

from __future__ import annotations

import base64
import json
from typing import ClassVar

from .load import request
from .stock import PASSWORD

Session = dict[str, str]  # `refresh`, `access`


class Api:
    """The endpoints of Simple JWT, which are those of this project."""

    user_field = "email"
    operations: tuple[str, ...] = ("refresh", "sign-out", "authenticated request", "sign-in")
    statuses: ClassVar[dict[str, int]] = {}  # of the responses, where it is not 200

    def status_of(self, operation: str) -> int:
        return self.statuses.get(operation, 200)

    def sign_in(self, user: str) -> bytes:
        return request("POST", "/api/token/", {self.user_field: user, "password": PASSWORD})

    def session(self, answer: bytes) -> Session:
        """Return the tokens in the answer to a sign-in or a refresh."""
        return json.loads(answer)

    def refresh(self, session: Session) -> bytes:
        return request("POST", "/api/token/refresh/", {"refresh": session["refresh"]})

    def sign_out(self, session: Session) -> bytes:
        return request("POST", "/api/token/blacklist/", {"refresh": session["refresh"]})

    def ask(self, session: Session) -> bytes:
        return request("GET", "/api/me/", access=session["access"])


class ByName(Api):
    """The same, with Django's own users."""

    user_field = "username"


class DRFSessions(Api):
    """drf-sessions, whose sign-out takes the access token."""

    def sign_in(self, user: str) -> bytes:
        return request("POST", "/api/login/", {"username": user, "password": PASSWORD})

    def refresh(self, session: Session) -> bytes:
        return request("POST", "/api/refresh/", {"refresh": session["refresh"]})

    def sign_out(self, session: Session) -> bytes:
        return request("POST", "/api/logout/", {}, session["access"])


class JWTAllauth(Api):
    """django-jwt-allauth."""

    def sign_in(self, user: str) -> bytes:
        return request("POST", "/api/login/", {"email": user, "password": PASSWORD})

    def refresh(self, session: Session) -> bytes:
        return request("POST", "/api/refresh/", {"refresh": session["refresh"]})

    def sign_out(self, session: Session) -> bytes:
        body = {"refresh": session["refresh"]}
        return request("POST", "/api/logout/", body, session["access"])


class Headless(Api):
    """django-allauth headless."""

    root = "/_allauth/app/v1"
    statuses: ClassVar[dict[str, int]] = {"sign-out": 401}  # the client is not signed in any more

    def sign_in(self, user: str) -> bytes:
        body = {"email": user, "password": PASSWORD}
        return request("POST", f"{self.root}/auth/login", body)

    def session(self, answer: bytes) -> Session:
        found = json.loads(answer)
        tokens = found["meta"] if "access_token" in found.get("meta", {}) else found["data"]
        return {"refresh": tokens["refresh_token"], "access": tokens["access_token"]}

    def refresh(self, session: Session) -> bytes:
        body = {"refresh_token": session["refresh"]}
        return request("POST", f"{self.root}/tokens/refresh", body)

    def sign_out(self, session: Session) -> bytes:
        return request("DELETE", f"{self.root}/auth/session", access=session["access"])


class Knox(Api):
    """django-rest-knox, which has no refresh tokens. Only its authenticated request is measured."""

    operations = ("authenticated request",)

    def sign_in(self, user: str) -> bytes:
        known = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        return request("POST", "/api/login/", {}, known, "Basic")

    def session(self, answer: bytes) -> Session:
        return {"access": json.loads(answer)["token"]}

    def ask(self, session: Session) -> bytes:
        return request("GET", "/api/me/", None, session["access"], "Token")
