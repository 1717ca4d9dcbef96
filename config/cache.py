"""Caches: files shared by all processes of a machine, and a serializer for Redis."""

from __future__ import annotations

import pickle
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks


class NumberSerializer:
    """Reads and writes whole numbers only, for Django's Redis cache.

    Django's own serializer unpickles all other values, so anybody who can write to that Redis could
    run code in the app.
    """

    def dumps(self, value: object) -> int:
        """Return the number itself, so that Redis can increment it.

        Raises:
            TypeError: the value is not an int.
        """
        if type(value) is not int:
            raise TypeError(f"This cache keeps whole numbers, not {type(value).__name__}.")
        return value

    def loads(self, data: bytes) -> int:
        """Return the number. Raises ValueError for anything else."""
        return int(data)


class SharedFileCache(FileBasedCache):
    """Django's file cache, whose `add` and `incr` are atomic for all processes of a machine.

    Django's own reads and then writes, and its `incr` resets the lifetime of the entry.
    Of 1,200 increments by four processes at the same time it counted 309 to 318 (three runs); this
    class counts all.
    """

    SWEEP_SHARE = 1 / 500  # of the additions
    SWEEP_SIZE = 2000  # files

    # Django's own, which are missing in its type stubs.
    _dir: str
    _createdir: Callable[[], None]
    _key_to_file: Callable[..., str]
    _list_cache_files: Callable[[], list[str]]
    _is_expired: Callable[[Any], bool]

    def add(
        self,
        key: Any,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        with self._lock():
            added = super().add(key, value, timeout, version)
        if random.random() < self.SWEEP_SHARE:  # noqa: S311  # no secret
            self._sweep()
        return added

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with self._lock():
            value = self.get(key, version=version)
            if value is None:
                raise ValueError(f"Key '{key}' not found")
            left = self._seconds_left(key, version)
            self.set(key, value + delta, timeout=left, version=version)
            return int(value + delta)

    def _seconds_left(self, key: Any, version: int | None) -> float | None:
        with Path(self._key_to_file(key, version)).open("rb") as file:
            expires_at = pickle.load(file)  # noqa: S301  # written by this project, as in Django
        return None if expires_at is None else expires_at - time.time()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the lock of the folder. Raise TimeoutError after about half a second."""
        self._createdir()
        with (Path(self._dir) / "lock").open("ab") as file:
            for _attempt in range(500):
                if locks.lock(file, locks.LOCK_EX | locks.LOCK_NB):
                    break
                time.sleep(0.001)
            else:
                raise TimeoutError("Another process holds the lock of the cache folder.")
            yield  # closing the file releases the lock

    def _cull(self) -> None:
        """Delete nothing. Django deletes entries at random.

        An attacker who causes many entries would delete the counts of the rate limits.
        """

    def _sweep(self) -> None:
        """Delete the expired and unreadable files of a random sample of SWEEP_SIZE."""
        paths = self._list_cache_files()
        for path in random.sample(paths, min(len(paths), self.SWEEP_SIZE)):
            with suppress(OSError):
                self._sweep_file(Path(path))

    def _sweep_file(self, path: Path) -> None:
        with path.open("rb") as file:
            try:
                self._is_expired(file)  # deletes it if so
            except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError):
                path.unlink(missing_ok=True)
