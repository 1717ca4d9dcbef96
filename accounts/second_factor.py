"""Check whether a user has a second factor."""

from __future__ import annotations

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator

from .models import User

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def has_second_factor(user: User) -> bool:
    """Return whether the user has a second factor. No query if it was loaded for a sign-in."""
    known = getattr(user, "_has_second_factor", None)
    return bool(get_adapter().is_mfa_enabled(user, types=FACTORS)) if known is None else known
