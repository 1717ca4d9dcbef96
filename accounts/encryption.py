"""Encryption of what the database must not reveal."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac


def fernet(purpose: str) -> Any:
    """Return a Fernet that encrypts with SECRET_KEY and also decrypts with its fallbacks.

    Each purpose has keys of its own.
    """
    # The import takes 9 MiB, which a process needs only if it has something to encrypt.
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    return MultiFernet(
        Fernet(urlsafe_b64encode(salted_hmac(purpose, "", key, algorithm="sha256").digest()))
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
