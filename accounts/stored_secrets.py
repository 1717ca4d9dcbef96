"""Encryption of second factors' secrets, so that a leaked database is not enough to sign in."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.crypto import get_random_string

from .encryption import fernet

FERNET = "gAAAA"  # how each Fernet token starts: its version and the first bits of a timestamp
SECRETS = {"secret", "seed"}  # the fields of an authenticator app and of recovery codes


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # it has no types
    def encrypt(self, text: str) -> str:
        """Encrypt the secret of an authenticator app or of recovery codes."""
        return str(fernet(__name__).encrypt(text.encode()).decode())

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a stored secret.

        If no key decrypts it, return a random secret, which no code matches. The user then signs
        in with a passkey or asks support.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  # see fernet()

        try:
            return _decrypted(encrypted_text)
        except InvalidToken:
            return get_random_string(32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")  # Base32


def encrypt_again() -> tuple[int, int]:
    """Encrypt each stored secret again, under SECRET_KEY.

    Return how many were encrypted, and how many cannot be decrypted with any key.
    """
    from cryptography.fernet import InvalidToken  # noqa: PLC0415  # see fernet()

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
    """Decrypt a stored secret; return one that was stored before encryption as it is.

    Raises:
        InvalidToken: no key decrypts it.
    """
    if not text.startswith(FERNET):
        return text
    return str(fernet(__name__).decrypt(text.encode()).decode())
