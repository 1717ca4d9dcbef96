"""Rotating the key set: a key is announced before it signs, and dropped with its last token.

When a key ends is decided as soon as the next one is made, and never again. One write replaces the
whole set, so there is no moment at which a key has lost its end.
"""

from __future__ import annotations

import math
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.core.files import locks

from ..conf import conf
from .key import Key, jwk_of, key_of
from .key_set import KeySet, KeySetError, read_set, stored_set

KINDS = ("EdDSA", "ES256", "RS256", "HS256")
RSA_BITS = 3072


class RotationError(Exception):
    """The key set was not changed. Its text says why."""


@dataclass(frozen=True)
class Rotation:
    """The new set, the key that was made, the one that was revoked, and those that were added or
    dropped.
    """

    keys: KeySet
    made: Key | None = None
    revoked: Key | None = None
    added: tuple[Key, ...] = ()
    dropped: tuple[Key, ...] = ()


def rotate(before: KeySet, kind: str | None, announced_for: float) -> Rotation:
    """Make the next key and drop those that verify nothing any more.

    The key signs after `announced_for` seconds, so that every server knows it by then; the first
    one signs at once. Nothing is made while a key waits to sign.
    """
    now, keys, made = time.time(), list(before.keys), None
    if not any(key.starts > now for key in before.signers):
        starts = now + announced_for if before.find_signer(now) else now
        made = _new_key(kind or _kind_of(before.signers), starts, keys)
        keys.append(made)
    ended = with_ends(keys)
    dropped = tuple(key for key in ended if key.ends <= now)
    return Rotation(KeySet(key for key in ended if key.ends > now), made, dropped=dropped)


def revoke(before: KeySet, kid: str) -> Rotation:
    """Take a key out at once: what it signed is refused.

    If it signs, or is to sign, one is made in its place. That one signs from the same time, or now:
    the key before it has its end, and signs no longer.

    Raises:
        RotationError: there is no such key.
    """
    now, keys, made = time.time(), list(before.keys), None
    revoked = before.find(kid)
    if revoked is None:
        known = ", ".join(key.kid for key in keys) or "no key"
        raise RotationError(f"No key is called {kid}. The key set has {known}.")
    waits = revoked.signing is not None and revoked.starts > now
    if waits or revoked is before.find_signer(now):
        made = _new_key(_kind_of([revoked]), max(now, revoked.starts), keys)
        keys.append(made)
    left = [key for key in with_ends(keys) if key.kid != kid]
    return Rotation(KeySet(left), made, revoked)


def add(before: KeySet, keys: Iterable[Key]) -> Rotation:
    """Add keys that signed until now, so that their tokens stay valid."""
    new = tuple(key for key in keys if before.find(key.kid) is None)
    return Rotation(KeySet(with_ends([*before.keys, *new])), added=new)


def with_ends(keys: Iterable[Key]) -> list[Key]:
    """Return the keys, each of which has its end if another one is to sign after it."""
    ordered = KeySet(keys)
    following = dict(pairwise(ordered.signers))
    return [
        key.lasting(key.starts, following[key].starts + ordered.lifetime)
        if key in following and key.ends == math.inf
        else key
        for key in ordered.keys
    ]


def change(act: Callable[[KeySet], Rotation]) -> Rotation:
    """Let the file of the settings have what the act makes of its keys, and return that.

    Raises:
        RotationError: there is no file, or it cannot be written or used: a new key in place of one
            that cannot be read would sign everybody out.
    """
    if conf.KEYS_FILE is None:
        raise RotationError(
            "There is no file for the keys: set TOKEN_BLACKLIST['KEYS_FILE']. Or use --print and "
            "set KEYS to what it prints."
        )
    path = Path(conf.KEYS_FILE).resolve()
    with _locked(path):
        done = changed(act)
        _write(path, done.keys.text())
    return done


def changed(act: Callable[[KeySet], Rotation]) -> Rotation:
    """Return what the act makes of the keys of the settings, and write nothing.

    Raises:
        RotationError: the keys cannot be read or used, or what the act makes of them.
    """
    try:
        done = act(stored_set())
        read_set(done.keys.text())
    except KeySetError as error:
        raise RotationError(f"Nothing was changed: {error}.") from None
    return done


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one command at a time change the file. Raise RotationError if it cannot be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            locks.lock(file, locks.LOCK_EX)
            yield
    except OSError as error:
        raise RotationError(f"The file {path} cannot be written: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    """Replace the file, whole or not at all. Only its owner can read it, who stays the same."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # of a command that was killed
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            if path.exists() and hasattr(os, "chown"):
                os.chown(fresh, path.stat().st_uid, -1)
            file.write(f"{text}\n")
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _kind_of(signers: list[Key]) -> str:
    """Return the kind of the key that comes after these: that of the last one, or the nearest."""
    if not signers:
        return "EdDSA"
    algorithm = signers[-1].algorithm
    kinds = {"RS": "RS256", "PS": "RS256", "HS": "HS256", "ES": "ES256"}
    return kinds.get(algorithm[:2], algorithm)


def _new_key(kind: str, starts: float, others: Iterable[Key]) -> Key:
    """Make a key. No two keys have one start: it says which of them signs."""
    second, taken = int(starts), {key.starts for key in others}
    while second in taken:
        second += 1
    return key_of({**jwk_of(kind, _new_material(kind)), "nbf": second})


def _new_material(kind: str) -> Any:
    if kind == "HS256":
        return secrets.token_bytes(64)
    try:
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
    except ImportError as error:
        raise RotationError(
            f"A key for {kind} needs the package cryptography. Install it, or use HS256."
        ) from error
    if kind == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, RSA_BITS)
