"""Where the keys come from: another site, a file, a text, or the options for one key."""

from __future__ import annotations

import logging
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.signals import setting_changed

from ..conf import conf
from . import remote
from .key import key_of_options
from .key_set import KeySet, KeySetError, read_set

logger = logging.getLogger(__name__)

SETTLED_AFTER = 2.0  # seconds; two changes within a tick of the file system may look like one


def current_set() -> KeySet:
    """Return the keys of the settings. A file that has changed counts from the next call on."""
    if conf.JWKS_URL is not None:
        return _remote(conf.JWKS_URL, os.getpid()).key_set(remote.KEPT_FOR)
    if conf.KEYS_FILE is not None:
        return _file(conf.KEYS_FILE).current()
    if conf.KEYS is not None:
        return _set_of_text(conf.KEYS)
    return set_of_options(conf.ALGORITHM, conf.SIGNING_KEY, conf.VERIFYING_KEY)


def stored_set() -> KeySet:
    """Return the set that the file or the text of the settings has now; none without a file yet.

    Raises:
        KeySetError: it cannot be read or used.
    """
    try:
        if conf.KEYS_FILE is not None:
            return read_set(Path(conf.KEYS_FILE).read_bytes())
        return KeySet([]) if conf.KEYS is None else read_set(conf.KEYS)
    except FileNotFoundError:
        return KeySet([])
    except OSError as error:
        raise KeySetError(error.strerror or "it cannot be read") from None


def name_of_set() -> str:
    """Return where the set is, for messages."""
    return str(conf.KEYS_FILE or "TOKEN_BLACKLIST['KEYS']")


@lru_cache(maxsize=8)
def set_of_options(algorithm: str, signing_key: Any, verifying_key: Any) -> KeySet:
    """Return the set of one key. Raises TypeError, ValueError or jwt.PyJWTError if it is unfit."""
    return KeySet([key_of_options(algorithm, signing_key, verifying_key)])


@lru_cache(maxsize=4)
def _set_of_text(text: str) -> KeySet:
    try:
        return read_set(text)
    except KeySetError as error:
        logger.error("the key set cannot be used: %s", error)
        return KeySet([])


class KeyFile:
    """A key set in a file, read again when the file has changed.

    If the file cannot be used then, the last set that could be used stays.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.read: tuple[Any, bytes, KeySet] = None, b"", KeySet([])
        self.problem = ""

    def current(self) -> KeySet:
        """Return the keys of the file as it is now. Takes one `stat`."""
        state, _text, keys = self.read
        try:
            found = os.stat(self.path)  # noqa: PTH116  # Path.stat takes half as long again
            now = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
            if now == state and time.time() - found.st_ctime >= SETTLED_AFTER:
                return keys
            return self._read_again(now)
        except OSError as error:
            return self._keep(error.strerror or "it cannot be read")

    def _read_again(self, state: tuple[int, ...]) -> KeySet:
        """Read the file, which was in this state before: what changes meanwhile is read next."""
        text = self.path.read_bytes()
        _state, known, keys = self.read
        if text != known:
            try:
                keys = read_set(text)
            except KeySetError as error:
                return self._keep(str(error))
        self.read, self.problem = (state, text, keys), ""
        return keys

    def _keep(self, problem: str) -> KeySet:
        if problem != self.problem:
            logger.error("the key set in %s cannot be used: %s", self.path, problem)
        self.problem = problem
        return self.read[2]


_file = lru_cache(maxsize=4)(KeyFile)


@lru_cache(maxsize=4)
def _remote(url: str, process: int) -> remote.RemoteKeys:
    """Return the keys of a site, for one process: a fork may inherit a lock that is held."""
    return remote.RemoteKeys(url)


def _forget(**kwargs: Any) -> None:
    for each in (set_of_options, _set_of_text, _file, _remote):
        each.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.keys.current")
