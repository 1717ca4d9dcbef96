"""Token introspection (RFC 7662): lets another service validate a token and look up its user."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from ..exceptions import AuthenticationFailed, ErrorCodes, TokenError
from ..serializers import TokenField, token_of_any_type
from ..views import JSONView
from .options import conf


@dataclass(frozen=True)
class Service:
    """A service that may introspect tokens. It is the `request.user` of its requests."""

    name: str
    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> str:
        return f"service {self.name}"


class ServiceAuthentication(BaseAuthentication):
    """Authenticates a service by its name and secret in HTTP Basic (RFC 6749 section 2.3.1).

    INTROSPECTION_CLIENTS has the SHA-256 of each secret. Secrets are random, so a fast hash is
    enough. A service can have several, so that one can replace another.
    """

    error_codes: ErrorCodes = {401: ("not_authenticated", "invalid_client")}

    def authenticate(self, request: Request) -> tuple[Service, None] | None:
        scheme, _space, encoded = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"basic":
            return None
        try:
            name, _colon, secret = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError as error:
            raise self._refused() from error
        digest = sha256(secret.encode()).hexdigest()
        accepted = False
        for known in conf.INTROSPECTION_CLIENTS.get(name, ()):
            accepted |= hmac.compare_digest(digest, known)
        if not accepted:
            raise self._refused()
        return Service(name), None

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="api"'

    def _refused(self) -> AuthenticationFailed:
        return AuthenticationFailed(_("The name or the secret is wrong."), code="invalid_client")


class IntrospectionSerializer(serializers.Serializer[Any]):
    """A token of any type. Returns its claims if it would be accepted."""

    token = TokenField(write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the claims of a token that would be accepted, and for others only `active`."""
        try:
            token = token_of_any_type(attrs["token"])
            user = token.get_user()
        except (TokenError, AuthenticationFailed):
            return {"active": False}
        claims: Mapping[str, Any] = token.payload
        return {
            **claims,
            "active": True,
            "sub": str(token.user_id),
            "username": str(user.get_username()),
        }


class ClaimsSerializer(serializers.Serializer[Any]):
    """Whether a token is accepted, and its claims: these and any others that it has."""

    active = serializers.BooleanField(help_text="Whether it would be accepted for its purpose.")
    sub = serializers.CharField(required=False, help_text="The user's id.")
    username = serializers.CharField(
        required=False, help_text="What the user signs in with, such as the e-mail address."
    )
    token_type = serializers.CharField(required=False)
    sid = serializers.CharField(required=False, help_text="The session.")
    jti = serializers.CharField(required=False)
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)


# One SELECT. Restricted to INTROSPECTION_CLIENTS, so that nobody can test stolen tokens unnoticed.
class IntrospectionView(JSONView):
    """Lets a service with a name and a secret validate a token (RFC 7662).

    For a token that would be accepted for its purpose, the response has all its claims, the user's
    id as `sub`, and as `username` what the user signs in with. For any other token it has only
    `"active": false`.
    """

    operation_id, summary = "token_introspect", "Introspect a token"
    serializer_class = IntrospectionSerializer
    answers: dict[int, Any] = {200: ClaimsSerializer}
    authentication_classes = (ServiceAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_scope = "introspect"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = IntrospectionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


introspect = IntrospectionView.as_view()
