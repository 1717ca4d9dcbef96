"""The public keys of another site (JWKS_URL)."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from jwt import PyJWKClient

from ..exceptions import Unavailable
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
        self.known, self.read_at = RemoteKeySet((), self), -math.inf
        self.lock = threading.Lock()

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
            keys = list(_usable(self.get_jwk_set().keys))
            if not keys:
                raise UnfitKeyError("no key")
            self.known = RemoteKeySet(keys, self)
        except Exception as error:  # another server can answer anything
            logger.exception("the public keys cannot be read: %s", type(error).__name__)
        # At the end: requests that waited for it do not read again, one after another.
        self.read_at = time.monotonic()

    def _is_newer(self, seconds: float) -> bool:
        return time.monotonic() - self.read_at < seconds


class RemoteKeySet(KeySet):
    """The keys that another site published when it was asked last."""

    def __init__(self, keys: Iterable[Key], client: RemoteKeys) -> None:
        super().__init__(keys)
        self.client = client

    def verifiers(self, kid: str | None) -> Iterable[Key]:
        """Return the keys as KeySet does, and ask the site for one that is unknown."""
        if not self.keys:
            raise Unavailable
        now_known: KeySet = self
        if kid is not None and self.find(kid) is None:
            now_known = self.client.key_set(UNKNOWN_KEPT_FOR)
        return [key for key in now_known.keys if kid in {None, key.kid}]


def _usable(published: Iterable[Any]) -> Iterable[Key]:
    """Return the public keys that this app can use, called as their publisher calls them."""
    for each in published:
        with suppress(UnfitKeyError, TypeError, KeyError, AttributeError):
            jwk = jwk_of(each.algorithm_name, each.key)
            kid, use = each.key_id or jwk["kid"], each.public_key_use or "sig"
            key = key_of({**jwk, "kid": kid, "use": use})
            if not key.is_secret:
                yield key
