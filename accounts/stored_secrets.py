"""Encrypts what a second factor needs, so that a copy of the database signs nobody in."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.utils.crypto import get_random_string, salted_hmac


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # it has no types
    def encrypt(self, text: str) -> str:
        """Return the secret of an authenticator app or of recovery codes as it is stored."""
        return str(_fernet().encrypt(text.encode()).decode())

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret.

        Of one that was encrypted under a SECRET_KEY that is gone, return another, which fits no
        code. Its user has a passkey or asks support.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  # as below

        try:
            return str(_fernet().decrypt(encrypted_text.encode()).decode())
        except InvalidToken:
            return get_random_string(32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")  # Base32


def _fernet() -> Any:
    """Return what encrypts under SECRET_KEY, and decrypts under SECRET_KEY_FALLBACKS as well."""
    # Takes 9 MiB, which only the second factors need.
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    return MultiFernet(
        Fernet(urlsafe_b64encode(salted_hmac(__name__, "", key, algorithm="sha256").digest()))
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
