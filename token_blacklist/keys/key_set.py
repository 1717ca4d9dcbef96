"""The key set: one key signs, any number verify.

It is a JSON Web Key Set (RFC 7517 section 5). Each key has `kid` and `alg`, from `nbf` on it signs
until another one does, and at `exp` it has ended. `rotatekeys` writes `exp` when it makes the next
key: the end of the last token that the key may have signed. So a key that has ended stays ended,
whatever becomes of the other keys.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property

from ..conf import conf
from ..exceptions import Unavailable
from .key import Key, UnfitKeyError, key_of


class KeySetError(ValueError):
    """A text is not a key set. Its text says why and contains nothing of a key."""


class KeySet:
    """The keys, in the order in which they sign."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(sorted(keys, key=lambda key: key.starts))
        self.signers = [key for key in self.keys if key.signing is not None]

    @cached_property
    def lifetime(self) -> float:
        return longest_lifetime().total_seconds()

    def signer(self, at: float) -> Key:
        """Return the key that signs what is issued at that time.

        Raises:
            Unavailable: there is none.
        """
        key = self.find_signer(at)
        if key is None:
            raise Unavailable
        return key

    def find_signer(self, at: float) -> Key | None:
        """Return the last key that has begun to sign, or else the first that waits, or None.

        A key signs nothing that would outlive it.
        """
        able = [
            key for key in self.signers if key.ends == math.inf or key.ends - self.lifetime > at
        ]
        started = [key for key in able if key.starts <= at]
        return next(iter(started[-1:] or able), None)

    def verifiers(self, kid: str | None) -> Iterable[Key]:
        """Return the keys that may have signed a token: that of its `kid`, or all.

        Raises:
            Unavailable: there is no key at all.
        """
        if not self.keys:
            raise Unavailable
        if len(self.keys) == 1:  # whatever the token calls it
            return self.keys
        now = time.time()
        return [key for key in self.keys if key.ends > now and kid in {None, key.kid}]

    def find(self, kid: str) -> Key | None:
        return next((key for key in self.keys if key.kid == kid), None)

    def text(self) -> str:
        """Return the set as JSON, on one line, with its private keys."""
        return json.dumps({"keys": [dict(key.jwk) for key in self.keys]})


def read_set(text: str | bytes) -> KeySet:
    """Return the key set of a JSON text.

    PyJWT's PyJWKSet leaves out the keys that it cannot use. Another key would sign in their place,
    and their tokens would be refused, so here one unfit key is an error.

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
        except UnfitKeyError as error:
            raise KeySetError(f"key {number} of {len(jwks)} is unfit: {error}") from None
        if "nbf" not in jwk:
            raise KeySetError(f"key {number} of {len(jwks)} is unfit: it has no nbf")
    if len({key.kid for key in keys}) < len(keys):
        raise KeySetError("two of its keys have one kid")
    return KeySet(keys)


def longest_lifetime() -> timedelta:
    """Return how long after its issue a token may be accepted."""
    lifetimes = (
        conf.ACCESS_TOKEN_LIFETIME,
        conf.REFRESH_TOKEN_LIFETIME,
        conf.SLIDING_TOKEN_REFRESH_LIFETIME,
    )
    return max(lifetimes) + conf.LEEWAY
