"""Permissions about how a user has signed in, for the views of a site."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Self

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission, OperationHolderMixin
from rest_framework.request import Request

from .authentication import JWTAuthentication, bearer_challenge
from .exceptions import ErrorCodes, ReauthenticationRequired, TokenError
from .tokens import AUTH_TIME_CLAIM, Token
from .utils import aware_now


class SignedInWithin(OperationHolderMixin, BasePermission):
    """Allows requests whose user has signed in, or confirmed who they are, within some minutes.

        permission_classes = [IsAuthenticated, SignedInWithin(minutes=10)]

    It reads the claim `auth_time` of the request's token, without a query. `methods` limits it to
    some HTTP methods, such as `{"DELETE"}`. A token without the claim is refused, and so is a
    request that a Django session authenticates.

    Raises:
        ReauthenticationRequired: 401, the sign-in was too long ago, or at an unknown time.
        NotAuthenticated: 401, there is no user.
    """

    error_codes: ErrorCodes = {401: ("reauthentication_required",)}

    def __init__(self, *, minutes: int = 10, methods: Collection[str] = ()) -> None:
        self.minutes, self.methods = minutes, methods

    def __call__(self) -> Self:
        """Return itself, because DRF calls each item of `permission_classes`."""
        return self

    def has_permission(self, request: Request, view: Any) -> bool:
        if self.methods and request.method not in self.methods:
            return True
        if not (request.user and request.user.is_authenticated):
            raise NotAuthenticated
        if not _is_recent(request.auth, timedelta(minutes=self.minutes)):
            challenge = bearer_challenge(JWTAuthentication.www_authenticate_realm)
            raise ReauthenticationRequired(minutes=self.minutes, challenge=challenge)
        return True


def _is_recent(token: Any, age: timedelta) -> bool:
    if not isinstance(token, Token):
        return False
    try:
        return aware_now() - token.timestamp(AUTH_TIME_CLAIM) <= age
    except TokenError:  # there is none
        return False
