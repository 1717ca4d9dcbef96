"""A password validator that revokes the sessions of a user whose password changes."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser

from .models import BlacklistedToken
from .sessions.end import revoke_user


class RevokeSessionsValidator:
    """Accepts every password, and revokes every session of a user whose password changes.

    Add it to AUTH_PASSWORD_VALIDATORS. Django calls `password_changed` when a user is saved after
    `set_password()`, in every form and command, and not when a hash is upgraded.
    """

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Accept the password."""

    def get_help_text(self) -> str:
        """Return no text, because every password is accepted."""
        return ""

    def password_changed(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if user is not None:
            revoke_user(user, reason=BlacklistedToken.Reason.PASSWORD)
