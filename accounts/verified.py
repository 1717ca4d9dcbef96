"""Whether the address of a user is verified."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from .models import User


def is_verified(user: User) -> bool:
    """Return whether the user has verified their address. No query after a sign-in."""
    known = getattr(user, "_is_verified", None)
    if known is None:
        known = EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()
    return bool(known)
