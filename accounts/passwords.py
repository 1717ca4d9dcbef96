"""Choosing and changing a password."""

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
    """Makes the keys of links for a new password: none works after a deactivation."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}"


def validators_with_text() -> list[Any]:
    """Return the validators that are a rule for users: RevokeSessionsValidator has no text."""
    return [rule for rule in get_default_password_validators() if rule.get_help_text()]


def check_new_password(password: str, user: User, *, field: str) -> None:
    """Validate a new password, also against the other fields of the user.

    Raises:
        serializers.ValidationError: with what is wrong, as the errors of that field.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise serializers.ValidationError({field: error.messages}) from error


def change_password(
    user: User, password: str, *, session: str | None, request: Request
) -> dict[str, str]:
    """Change the password, revoke every session, and return the pair of a new one.

    The caller's session is revoked as well: a thief may have its tokens too. All in one
    transaction. It replaces the password that the user was loaded with, on behalf of `session`,
    which must still be live: of two changes at once one succeeds, and a revoked session changes
    nothing.

    Raises:
        InvalidToken: the password was changed or the session revoked in between, or the user may
            not use tokens. Nothing changed.
    """
    me = User.objects.all()
    if session is not None:
        live = OutstandingToken.objects.live().filter(session_id=session, user=OuterRef("pk"))
        me = me.filter(Exists(live))
    hashed = make_password(password)
    with transaction.atomic():
        if not (may_use_tokens(user) and _replace(me, user, password, hashed)):
            raise InvalidToken(_("You were signed out in the meantime. Sign in and try again."))
        pair: dict[str, str] = conf.TOKEN_OBTAIN_SERIALIZER.new_pair(user, request)
    return pair


def replace_password(user: User, password: str) -> bool:
    """Give the user a new password, and revoke every session. Return whether it was changed.

    Not if the user has been given another password or been deactivated or deleted since it was
    loaded: a link for a new password works once.
    """
    hashed = make_password(password)
    with transaction.atomic():
        return _replace(User.objects.all(), user, password, hashed)


def _replace(users: QuerySet[User], user: User, password: str, hashed: str) -> bool:
    """Write the hash alone, if `users` has the active user with the hash that was loaded.

    Of two at once, one returns True. Other columns may have changed: somebody's rights, say.
    """
    unchanged = users.filter(pk=user.pk, password=user.password, is_active=True)
    if not unchanged.update(password=hashed):
        return False
    user.password = hashed
    password_changed(password, user)  # RevokeSessionsValidator ends the sessions
    return True
