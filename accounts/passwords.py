"""Validating and changing passwords."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import (
    get_default_password_validators,
    password_changed,
    validate_password,
)
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request

from token_blacklist.conf import conf
from token_blacklist.exceptions import InvalidToken
from token_blacklist.models import OutstandingToken
from token_blacklist.users import may_use_tokens

from .models import User


class ResetTokenGenerator(PasswordResetTokenGenerator):
    """Makes the tokens of password reset links, which a deactivation invalidates."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}"


def validators_with_text() -> list[Any]:
    """Return the validators that have a help text. RevokeSessionsValidator has none."""
    return [rule for rule in get_default_password_validators() if rule.get_help_text()]


def check_new_password(password: str, user: User, *, field: str) -> None:
    """Validate a new password, also against the user's other fields.

    Raises:
        serializers.ValidationError: the password is refused. The messages are under `field`.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise serializers.ValidationError({field: error.messages}) from error


def change_password(
    user: User, password: str, *, session: str | None, request: Request
) -> dict[str, str]:
    """Change the password, revoke every session, and return the tokens of a new one.

    The caller's session is revoked as well, because a thief may have its tokens. Everything is one
    transaction. It requires that `session` is still live and that the password has not changed
    since the user was loaded: of two simultaneous changes, one succeeds.

    Raises:
        InvalidToken: the password was changed or the session revoked in the meantime, or the user
            may not use tokens. Nothing was changed.
    """
    me = User.objects.all()
    if session is not None:
        live = OutstandingToken.objects.live().filter(session_id=session, user=OuterRef("pk"))
        me = me.filter(Exists(live))
    hashed = make_password(password)
    with transaction.atomic():
        if not (may_use_tokens(user) and _replace(me, user, password, hashed)):
            raise InvalidToken(_("You were signed out in the meantime. Sign in and try again."))
        pair: dict[str, str] = conf.TOKEN_OBTAIN_SERIALIZER.new_session(user, request)
    return pair


def replace_password(user: User, password: str) -> bool:
    """Set a new password and revoke every session. Return whether it was changed.

    It is not changed if the user got another password, was deactivated or was deleted after being
    loaded. A password reset link therefore works once.
    """
    hashed = make_password(password)
    with transaction.atomic():
        return _replace(User.objects.all(), user, password, hashed)


def _replace(users: QuerySet[User], user: User, password: str, hashed: str) -> bool:
    """Write the hash if `users` contains the user, active and with the password that was loaded.

    Of two simultaneous calls, one returns True. No other column is written, because permissions,
    for example, may have changed.
    """
    unchanged = users.filter(pk=user.pk, password=user.password, is_active=True)
    if not unchanged.update(password=hashed):
        return False
    user.password = hashed
    password_changed(password, user)  # RevokeSessionsValidator ends the sessions
    return True
