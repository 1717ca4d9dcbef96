"""Choosing and changing a password."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers

from .models import User


def check_new_password(password: str, user: User, *, field: str) -> None:
    """Hold a password against the site's rules; they may look at the user's own words.

    Raises:
        serializers.ValidationError: with what is wrong, as the errors of that field.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise serializers.ValidationError({field: error.messages}) from error


def change_password(user: User, password: str, *, keep_session: str | None) -> None:
    """Give the user a new password, and end every session but `keep_session`."""
    user.set_password(password)
    user.save(update_fields=["password"], keep_session=keep_session)
