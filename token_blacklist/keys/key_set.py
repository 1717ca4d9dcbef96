"""The key set: one key signs, any number verify.

It is a JSON Web Key Set (RFC 7517 section 5). Each key has `kid` and `alg`. It signs from `nbf`
until the next key starts, and expires at `exp`. `rotatekeys` writes `exp` when it makes the next
key: the expiry of the last token that the key may have signed. An expired key therefore stays
expired, even if other keys are added or removed.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from django.core.signals import setting_changed

from ..conf import conf
from ..exceptions import Unavailable
from .key import Key, UnfitKeyError, key_of, key_of_options

logger = logging.getLogger(__name__)

SETTLED_AFTER = (
    2.0  # seconds; two changes within one tick of the file system cannot be distinguished
)


class KeySetError(ValueError):
    """A text is not a valid key set. The message gives the reason and contains nothing of a key."""


class KeySet:
    """Keys in the order in which they sign.

    `fetch_newer` returns the current set of another site. It is called for an unknown `kid`.
    """

    def __init__(
        self, keys: Iterable[Key], fetch_newer: Callable[[], KeySet] | None = None
    ) -> None:
        self.keys = tuple(sorted(keys, key=lambda key: key.starts))
        self.signers = [key for key in self.keys if key.signing is not None]
        self.fetch_newer = fetch_newer

    @cached_property
    def lifetime(self) -> float:
        """The maximum seconds from the issue of a token to its expiry, with the leeway."""
        lifetimes = (
            conf.ACCESS_TOKEN_LIFETIME,
            conf.REFRESH_TOKEN_LIFETIME,
            conf.SLIDING_TOKEN_REFRESH_LIFETIME,
        )
        return (max(lifetimes) + conf.LEEWAY).total_seconds()

    def signer(self, at: float) -> Key:
        """Return the key that signs tokens issued at that time. Raises Unavailable without one."""
        key = self.find_signer(at)
        if key is None:
            raise Unavailable
        return key

    def find_signer(self, at: float) -> Key | None:
        """Return the last key that has started, or else the first that starts later, or None.

        A key is left out if it would expire before a token issued at that time.
        """
        able = [
            key for key in self.signers if key.ends == math.inf or key.ends - self.lifetime > at
        ]
        started = [key for key in able if key.starts <= at]
        return next(iter(started[-1:] or able), None)

    def verifiers(self, kid: str | None) -> Iterable[Key]:
        """Return the keys that may have signed a token: the one with its `kid`, or all.

        Raises:
            Unavailable: there is no key at all.
        """
        if not self.keys:
            raise Unavailable
        keys = self.keys
        if self.fetch_newer and kid is not None and self.find(kid) is None:
            keys = self.fetch_newer().keys
        elif len(keys) == 1 and not self.fetch_newer:  # for any `kid`
            return keys
        now = time.time()
        return [key for key in keys if key.ends > now and kid in {None, key.kid}]

    def find(self, kid: str) -> Key | None:
        return next((key for key in self.keys if key.kid == kid), None)

    def text(self) -> str:
        """Return the set as JSON on one line, including the private keys."""
        return json.dumps({"keys": [dict(key.jwk) for key in self.keys]})


@lru_cache(maxsize=4)
def read_set(text: str | bytes) -> KeySet:
    """Return the key set of a JSON text.

    One unfit key is an error. PyJWT's PyJWKSet would skip it, so that another key signs in its
    place and its tokens are refused.

    Raises:
        KeySetError: the text is not a key set, or a key of it is unfit.
    """
    try:
        jwks = json.loads(text)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        jwks = None
    if not isinstance(jwks, list):
        raise KeySetError("it is not a JWK Set in JSON (RFC 7517), or a part of one")
    keys = []
    for number, jwk in enumerate(jwks, start=1):
        try:
            keys.append(key_of(jwk))
            if "nbf" not in jwk:
                raise UnfitKeyError("it has no nbf")
        except UnfitKeyError as error:
            raise KeySetError(f"key {number} of {len(jwks)} is unfit: {error}") from None
    if len({key.kid for key in keys}) < len(keys):
        raise KeySetError("two of its keys have one kid")
    return KeySet(keys)


def stored_set() -> KeySet:
    """Return the set in KEYS_FILE or KEYS as it is now, empty if the file does not exist.

    Raises:
        KeySetError: it cannot be read or used.
    """
    try:
        if conf.KEYS_FILE is not None:
            return read_set(Path(conf.KEYS_FILE).read_bytes())
        return read_set('{"keys": []}' if conf.KEYS is None else conf.KEYS)
    except FileNotFoundError:
        return KeySet([])
    except (OSError, KeySetError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise KeySetError(f"{name_of_set()} cannot be used: {reason}") from None


def name_of_set() -> str:
    """Return the file or option of the stored set, for messages."""
    return str(conf.KEYS_FILE or "TOKEN_BLACKLIST['KEYS']")


def current_set() -> KeySet:
    """Return the key set of the settings. A changed file is read by the next call.

    Raises:
        Unavailable: KEYS is not a key set.
        TypeError, ValueError, jwt.PyJWTError: SIGNING_KEY or VERIFYING_KEY is unfit.
    """
    if conf.KEYS_FILE is not None:
        return _file(conf.KEYS_FILE).current()
    if conf.KEYS is None:
        return set_of_options(conf.ALGORITHM, conf.SIGNING_KEY, conf.VERIFYING_KEY)
    try:
        return read_set(conf.KEYS)
    except KeySetError as error:
        logger.error("the key set in KEYS cannot be used: %s", error)
        raise Unavailable from None


@lru_cache(maxsize=8)
def set_of_options(algorithm: str, signing_key: Any, verifying_key: Any) -> KeySet:
    """Return the set of one key. Raises TypeError, ValueError or jwt.PyJWTError if it is unfit."""
    return KeySet([key_of_options(algorithm, signing_key, verifying_key)])


class KeyFile:
    """A key set in a file, read again when the file has changed.

    If the changed file cannot be used, the last valid set stays in use.
    """

    def __init__(self, path: str) -> None:
        self.path, self.problem = path, ""
        self.read: tuple[Any, KeySet] = None, KeySet([])  # the state of the file, and its keys

    def current(self) -> KeySet:
        """Return the keys of the file as it is now. Takes one `stat`."""
        state, keys = self.read
        try:
            found = os.stat(self.path)  # noqa: PTH116  # Path.stat takes half as long again
            now = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
            if now == state and time.time() - found.st_ctime >= SETTLED_AFTER:
                return keys
            keys = read_set(Path(self.path).read_bytes())
            self.read, self.problem = (now, keys), ""
        except (OSError, KeySetError) as error:
            if str(error) != self.problem:
                self.problem = str(error)
                logger.error("the key set in %s cannot be used: %s", self.path, error)
        return keys


_file = lru_cache(maxsize=4)(KeyFile)


def _forget(**kwargs: Any) -> None:
    for each in (read_set, set_of_options, _file):
        each.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.keys.key_set")
