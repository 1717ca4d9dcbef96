"""The language of a user's e-mails: that of the sign-up, or what the user has chosen since.

Not the language of the request that causes an e-mail, which may be a thief's.
"""

from __future__ import annotations

from django.conf import settings

from .models import User


def language_of(user: User, default: str | None = None) -> str:
    """Return the language of e-mails to this user, or `default` if none is stored."""
    is_spoken = user.language in dict(settings.LANGUAGES)
    return user.language if is_spoken else default or settings.LANGUAGE_CODE
