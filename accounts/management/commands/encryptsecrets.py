from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.stored_secrets import encrypt_again


class Command(BaseCommand):
    help = (
        "Encrypt the secrets of second factors under SECRET_KEY. Run it after changing the key, "
        "before removing the old one from SECRET_KEY_FALLBACKS. Safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        encrypted, lost = encrypt_again()
        self.stdout.write(self.style.SUCCESS(f"Encrypted {encrypted} secrets."))
        if lost:
            self.stderr.write(
                f"{lost} cannot be decrypted with any of the keys. Put the old key back into "
                "SECRET_KEY_FALLBACKS, or remove these second factors in the admin."
            )
