"""The public keys of another site (JWKS_URL)."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed
from jwt import PyJWKClient

from ..fetch import fetch_json
from .key import Key, UnfitKeyError, jwk_of, key_of
from .key_set import KeySet

logger = logging.getLogger(__name__)

MAX_AGE = 300.0  # seconds, as in the Cache-Control header of the public keys
UNKNOWN_KEY_MAX_AGE = 10.0  # seconds; clients can send many tokens with unknown keys
RETRY_INTERVAL = 1.0  # seconds, while no key is known
RESPONSE_TIMEOUT = 5.0  # seconds
MAX_RESPONSE_BYTES = 2**20


class RemoteKeys(PyJWKClient):
    """PyJWT's client with limits on size and time, which keeps the last keys that it fetched.

    PyJWT's own drops the keys when they are too old, so this service would go down with the issuing
    site. It also blocks every request while one of them fetches the keys.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, cache_jwk_set=False, timeout=RESPONSE_TIMEOUT)
        self.known, self.read_at, self.lock = KeySet([]), -math.inf, threading.Lock()

    def fetch_data(self) -> Any:
        return fetch_json(self.uri, seconds=self.timeout, most=MAX_RESPONSE_BYTES)

    def key_set(self, older_than: float) -> KeySet:
        """Return the keys, fetched again if they are older. If that fails, the known keys stay."""
        has_keys = bool(self.known.keys)
        if has_keys and self._is_newer(older_than):
            return self.known
        # Known keys are used while another thread fetches the next ones.
        if self.lock.acquire(blocking=not has_keys):
            try:
                if not self._is_newer(older_than if has_keys else RETRY_INTERVAL):
                    self._read()
            finally:
                self.lock.release()
        return self.known

    def _read(self) -> None:
        try:
            keys = [key for each in self.get_jwk_set().keys for key in _usable(each)]
            if not keys:
                raise UnfitKeyError("no key")
            self.known = KeySet(keys, fetch_newer=lambda: self.key_set(UNKNOWN_KEY_MAX_AGE))
        except Exception as error:  # another server can send anything
            logger.exception("the public keys cannot be read: %s", type(error).__name__)
        # Set last, so that requests that waited for the lock do not fetch again one by one.
        self.read_at = time.monotonic()

    def _is_newer(self, seconds: float) -> bool:
        return time.monotonic() - self.read_at < seconds


def _usable(each: Any) -> Iterator[Key]:
    """Yield the key if it is public and this app can use it, with its publisher's `kid`."""
    with suppress(UnfitKeyError, TypeError, KeyError, AttributeError):
        jwk = jwk_of(each.algorithm_name, each.key)
        named = {"kid": each.key_id or jwk["kid"], "use": each.public_key_use or "sig"}
        if not (key := key_of({**jwk, **named})).is_secret:
            yield key


@lru_cache(maxsize=4)
def remote_keys(url: str, process: int) -> RemoteKeys:
    """Return the keys of a site. Each process has its own: a fork may inherit a held lock."""
    return RemoteKeys(url)


def remote_set(url: str) -> KeySet:
    """Return the keys that a site publishes at the URL, or an empty set if none is known."""
    return remote_keys(url, os.getpid()).key_set(MAX_AGE)


def _forget(**kwargs: Any) -> None:
    remote_keys.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.keys.remote")
