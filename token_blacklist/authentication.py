"""Authenticating requests by a token in the Authorization header (RFC 6750 section 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import HTTP_HEADER_ENCODING
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .conf import conf
from .exceptions import AuthenticationFailed, ErrorCodes, InvalidToken, TokenError
from .signals import token_refused
from .token_user import AuthUser, TokenUser  # noqa: F401  # for sites that import them from here
from .tokens import AccessToken, Token
from .users import default_user_authentication_rule  # noqa: F401  # Simple JWT has it here


class JWTAuthentication(BaseAuthentication):
    """Authenticates a request by its token, with one SELECT of the user and the session.

    `request.user` is the user, `request.auth` the token. Returns None if the header has another
    scheme. An invalid token is refused with 401.
    """

    www_authenticate_realm = "api"
    error_codes: ErrorCodes = {
        401: (
            "not_authenticated",
            "bad_authorization_header",
            "token_not_valid",
            "user_inactive",
            "user_not_found",
        )
    }

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        header = self.get_header(request)
        raw_token = None if header is None else self.get_raw_token(header)
        if raw_token is None:
            return None
        try:
            token = self.get_validated_token(raw_token)
            return self.get_user(token), token
        except AuthenticationFailed as error:
            token_refused.log_and_send(type(self), code=error.code)
            raise

    def authenticate_header(self, request: Request) -> str:
        return bearer_challenge(self.www_authenticate_realm)

    def get_header(self, request: Request) -> bytes | None:
        """Return the header that has the token, or None."""
        return _encoded(request.META.get(conf.AUTH_HEADER_NAME))

    def get_raw_token(self, header: bytes) -> bytes | None:
        """Return the token in the header, or None if the scheme is another."""
        parts = header.split()
        schemes = {scheme.lower().encode() for scheme in conf.AUTH_HEADER_TYPES}
        if not parts or parts[0].lower() not in schemes:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(
                _("Authorization header must contain two space-delimited values"),
                code="bad_authorization_header",
            )
        return parts[1]

    def get_validated_token(self, raw_token: str | bytes) -> Token:
        """Return the token if its signature and claims are valid for one of AUTH_TOKEN_CLASSES."""
        messages = []
        for token_class in conf.AUTH_TOKEN_CLASSES:
            try:
                token: Token = token_class.authentic(raw_token)
            except TokenError as error:
                messages.append(
                    {
                        "token_class": token_class.__name__,
                        "token_type": token_class.token_type,
                        "message": error.args[0],
                    }
                )
            else:
                return token
        raise InvalidToken({"messages": messages})

    def get_user(self, validated_token: Token | Mapping[str, Any]) -> Any:
        """Return the user, if they are active and the token's session is live.

        A mapping is treated as the claims of a valid access token.
        """
        try:
            return _as_token(validated_token).get_user()
        except TokenError as error:
            raise InvalidToken.because(error) from error


class JWTStatelessUserAuthentication(JWTAuthentication):
    """Authenticates a request by its token alone, without a query.

    It does not notice a sign-out until the access token expires.
    """

    def get_user(self, validated_token: Token | Mapping[str, Any]) -> Any:
        token = _as_token(validated_token)
        try:
            token.read_user_id()
        except TokenError as error:
            raise InvalidToken.because(error) from error
        return conf.TOKEN_USER_CLASS(token)


JWTTokenUserAuthentication = JWTStatelessUserAuthentication


def _encoded(header: str | bytes | None) -> bytes | None:
    # The encoding of WSGI. A test client can send characters that no server can.
    return header.encode(HTTP_HEADER_ENCODING, "replace") if isinstance(header, str) else header


def _as_token(validated: Token | Mapping[str, Any]) -> Token:
    return validated if isinstance(validated, Token) else AccessToken.with_claims(dict(validated))


def bearer_challenge(realm: str) -> str:
    """Return the WWW-Authenticate value of a 401 (RFC 6750 section 3)."""
    return f'{conf.AUTH_HEADER_TYPES[0]} realm="{realm}"'
