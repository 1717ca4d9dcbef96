"""Check whether a user's address is verified."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from .models import User


def is_verified(user: User) -> bool:
    """Return whether the address is verified. No query if the user was loaded for a sign-in."""
    known = getattr(user, "_is_verified", None)
    if known is None:
        known = EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()
    return bool(known)
