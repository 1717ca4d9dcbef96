"""Choosing and changing a password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import (
    get_default_password_validators,
    password_changed,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request

from token_blacklist.conf import conf
from token_blacklist.exceptions import InvalidToken
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions.end import revoke_user
from token_blacklist.users import may_use_tokens

from .models import User


def password_rules() -> list[dict[str, Any]]:
    """Return the site's rules for a password: `name` and `text`, and `least` for its length."""
    return [
        {
            "name": type(rule).__name__,
            "text": rule.get_help_text(),
            "least": getattr(rule, "min_length", ""),
        }
        for rule in get_default_password_validators()
    ]


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
    me = User.objects.get_queryset().filter(pk=user.pk, password=user.password, is_active=True)
    if session is not None:
        live = OutstandingToken.objects.live().filter(session_id=session, user=OuterRef("pk"))
        me = me.filter(Exists(live))
    hashed = make_password(password)
    with transaction.atomic():
        if not (may_use_tokens(user) and me.update_alone(password=hashed)):
            raise InvalidToken(_("You were signed out in the meantime. Sign in and try again."))
        revoke_user(user, reason=BlacklistedToken.Reason.PASSWORD)
        user.remember_password(hashed)  # the new session is opened on this one
        pair: dict[str, str] = conf.TOKEN_OBTAIN_SERIALIZER.new_pair(user, request)
    password_changed(password, user)
    return pair
