"""Encrypts what a second factor needs, so that a copy of the database signs nobody in."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils.crypto import get_random_string, salted_hmac

FERNET = "gAAAA"  # its version, and a time of this century
SECRETS = {"secret", "seed"}  # of an authenticator app, and of recovery codes


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
            return _decrypted(encrypted_text)
        except InvalidToken:
            return get_random_string(32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")  # Base32


def encrypt_again() -> tuple[int, int]:
    """Encrypt each stored secret under SECRET_KEY. Return how many were, and how many are lost."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415  # as below

    adapter, counts = MFAAdapter(), [0, 0]
    for each in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).iterator():
        with transaction.atomic():  # a recovery code may be used at the same time
            kept = Authenticator.objects.select_for_update().filter(pk=each.pk).first()
            if kept is None:
                continue
            try:
                for name in SECRETS & kept.data.keys():
                    kept.data[name] = adapter.encrypt(_decrypted(kept.data[name]))
            except InvalidToken:
                counts[1] += 1
                continue
            kept.save(update_fields=["data"])
            counts[0] += 1
    return counts[0], counts[1]


def _decrypted(text: str) -> str:
    """Return a stored secret, which may be from before they were encrypted. Raises InvalidToken."""
    if not text.startswith(FERNET):
        return text
    return str(_fernet().decrypt(text.encode()).decode())


def _fernet() -> Any:
    """Return what encrypts under SECRET_KEY, and decrypts under SECRET_KEY_FALLBACKS as well."""
    # Takes 9 MiB, which only the second factors need.
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    return MultiFernet(
        Fernet(urlsafe_b64encode(salted_hmac(__name__, "", key, algorithm="sha256").digest()))
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
