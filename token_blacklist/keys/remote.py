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

KEPT_FOR = 300.0  # seconds, as the header Cache-Control of the public keys says
UNKNOWN_KEPT_FOR = 10.0  # seconds; a client can send any number of tokens with unknown keys
RETRIED_AFTER = 1.0  # seconds, while no key is known
SECONDS = 5.0  # for one answer
MOST = 2**20  # bytes of one answer


class RemoteKeys(PyJWKClient):
    """PyJWT's client, bounded in bytes and in time, which keeps the last set.

    PyJWT's own forgets the keys after their time, and the service would stop when the other site
    does. It also holds up every request while one of them reads.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, cache_jwk_set=False, timeout=SECONDS)
        self.known, self.read_at, self.lock = KeySet([]), -math.inf, threading.Lock()

    def fetch_data(self) -> Any:
        return fetch_json(self.uri, seconds=self.timeout, most=MOST)

    def key_set(self, older_than: float) -> KeySet:
        """Return the keys, read again if they are older. If that fails, the known ones stay."""
        has_keys = bool(self.known.keys)
        if has_keys and self._is_newer(older_than):
            return self.known
        # Known keys are used while another thread reads the next ones.
        if self.lock.acquire(blocking=not has_keys):
            try:
                if not self._is_newer(older_than if has_keys else RETRIED_AFTER):
                    self._read()
            finally:
                self.lock.release()
        return self.known

    def _read(self) -> None:
        try:
            keys = [key for each in self.get_jwk_set().keys for key in _usable(each)]
            if not keys:
                raise UnfitKeyError("no key")
            self.known = KeySet(keys, ask=lambda: self.key_set(UNKNOWN_KEPT_FOR))
        except Exception as error:  # another server can answer anything
            logger.exception("the public keys cannot be read: %s", type(error).__name__)
        # At the end: requests that waited for it do not read again, one after another.
        self.read_at = time.monotonic()

    def _is_newer(self, seconds: float) -> bool:
        return time.monotonic() - self.read_at < seconds


def _usable(each: Any) -> Iterator[Key]:
    """Give the key if it is a public one that this app can use, called as its publisher does."""
    with suppress(UnfitKeyError, TypeError, KeyError, AttributeError):
        jwk = jwk_of(each.algorithm_name, each.key)
        named = {"kid": each.key_id or jwk["kid"], "use": each.public_key_use or "sig"}
        if not (key := key_of({**jwk, **named})).is_secret:
            yield key


@lru_cache(maxsize=4)
def remote_keys(url: str, process: int) -> RemoteKeys:
    """Return the keys of a site, for one process: a fork may inherit a lock that is held."""
    return RemoteKeys(url)


def remote_set(url: str) -> KeySet:
    """Return the keys that the site at the URL publishes; an empty set if none is known."""
    return remote_keys(url, os.getpid()).key_set(KEPT_FOR)


def _forget(**kwargs: Any) -> None:
    remote_keys.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.keys.remote")
