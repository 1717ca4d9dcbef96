"""The language of a user's e-mails: that of the sign-up, or what the user has chosen since.

Not the language of the request that causes an e-mail, which may be a thief's.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from .models import User


def language_of(user: User, default: str | None = None) -> str:
    """Return the language of e-mails to this user, or `default` if none is stored."""
    is_spoken = user.language in dict(settings.LANGUAGES)
    return user.language if is_spoken else default or settings.LANGUAGE_CODE


def remember_language(user: User, **kwargs: Any) -> None:
    """Store the language of the request if none is stored. Receiver of `user_logged_in`."""
    if not user.language:
        user.language = get_language() or ""
        User.objects.filter(pk=user.pk, language="").update(language=user.language)
