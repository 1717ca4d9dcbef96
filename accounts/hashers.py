"""A password hasher with Argon2 for small servers: Django's needs 100 MiB per password."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

# More simultaneous hashes than processors would need more memory and not be faster. A thread pool
# instead of a semaphore, because malloc keeps a hash's memory for each thread that computed one.
_pool = ThreadPoolExecutor(settings.PASSWORD_HASHES_AT_ONCE, thread_name_prefix="password")


class SmallArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters; at most PASSWORD_HASHES_AT_ONCE in a process at a time.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return _pool.submit(super().encode, password, salt).result()

    def verify(self, password: str, encoded: str) -> bool:
        return _pool.submit(super().verify, password, encoded).result()
