"""Key rotation: a key is published before it signs, and dropped after its last token expires.

The expiry of a key is set when the next key is made, and never changes. One write replaces the
whole set, so a key cannot lose its expiry.
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
    """The key set was not changed. The message gives the reason."""


@dataclass(frozen=True)
class Rotation:
    """The new key set, and the keys that were made, revoked, added and dropped."""

    keys: KeySet
    made: Key | None = None
    revoked: Key | None = None
    added: tuple[Key, ...] = ()
    dropped: tuple[Key, ...] = ()


def rotate_keys(before: KeySet, kind: str | None, announced_for: float) -> Rotation:
    """Make the next key, and drop expired keys.

    The new key starts signing after `announced_for` seconds, so that every server has it by then.
    The first key signs at once. No key is made while another has not started yet.
    """
    now, keys, made = time.time(), list(before.keys), None
    if not any(key.starts > now for key in before.signers):
        starts = now + announced_for if before.find_signer(now) else now
        made = _new_key(kind or _kind_of(before.signers), starts, keys)
        keys.append(made)
    ended = with_ends(keys)
    dropped = tuple(key for key in ended if key.ends <= now)
    return Rotation(KeySet(key for key in ended if key.ends > now), made, dropped=dropped)


def revoke_key(before: KeySet, kid: str) -> Rotation:
    """Remove a key at once, so that tokens that it signed are refused.

    If it signs, or has not started yet, a new key replaces it, which signs from the same time or
    from now. The previous key cannot sign again, because its expiry is set.

    Raises:
        RotationError: there is no such key.
    """
    now, keys, made = time.time(), list(before.keys), None
    revoked = before.find(kid)
    if revoked is None:
        known = ", ".join(key.kid for key in keys) or "no key"
        raise RotationError(f"No key is called {kid or 'the empty text'}. The key set has {known}.")
    waits = revoked.signing is not None and revoked.starts > now
    if waits or revoked is before.find_signer(now):
        made = _new_key(_kind_of([revoked]), max(now, revoked.starts), keys)
        keys.append(made)
    left = [key for key in with_ends(keys) if key.kid != kid]
    return Rotation(KeySet(left), made, revoked)


def add_keys(before: KeySet, keys: Iterable[Key]) -> Rotation:
    """Add keys that were in use before, so that their tokens stay valid."""
    new = tuple(key for key in keys if before.find(key.kid) is None)
    return Rotation(KeySet(with_ends([*before.keys, *new])), added=new)


def with_ends(keys: Iterable[Key]) -> list[Key]:
    """Return the keys, with an expiry for each that another key follows."""
    ordered = KeySet(keys)
    following = dict(pairwise(ordered.signers))
    return [
        key.with_times(key.starts, following[key].starts + ordered.lifetime)
        if key in following and key.ends == math.inf
        else key
        for key in ordered.keys
    ]


def apply_and_save(act: Callable[[KeySet], Rotation]) -> Rotation:
    """Change the key set in KEYS_FILE by the function `act`, and return the result.

    Raises:
        RotationError: there is no file, or it cannot be read, used or written. An invalid file is
            never replaced, because that would sign every user out.
    """
    if conf.KEYS_FILE is None:
        raise RotationError(
            "There is no file for the keys: set TOKEN_BLACKLIST['KEYS_FILE']. Or use --print and "
            "set KEYS to what it prints."
        )
    path = Path(conf.KEYS_FILE).resolve()
    with _locked(path):
        done = apply(act)
        _write(path, done.keys.text())
    return done


def apply(act: Callable[[KeySet], Rotation]) -> Rotation:
    """Return the result of the function `act` for the stored key set, without writing it.

    Raises:
        RotationError: the stored or the new key set cannot be used.
    """
    try:
        done = act(stored_set())
        read_set(done.keys.text())
    except KeySetError as error:
        raise RotationError(f"Nothing was changed: {error}.") from None
    return done


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time change the file. Raises RotationError if it cannot be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            locks.lock(file, locks.LOCK_EX)
            yield
    except OSError as error:
        raise RotationError(f"The file {path} cannot be written: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    """Replace the file atomically. Only its owner can read it, and the owner stays the same."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # left by a command that was killed
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
    """Return the kind of the next key: that of the last one, or the most similar of KINDS."""
    if not signers:
        return "EdDSA"
    algorithm = signers[-1].algorithm
    kinds = {"RS": "RS256", "PS": "RS256", "HS": "HS256", "ES": "ES256"}
    return kinds.get(algorithm[:2], algorithm)


def _new_key(kind: str, starts: float, others: Iterable[Key]) -> Key:
    """Make a key. Its start is unique, because the start decides which key signs."""
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
