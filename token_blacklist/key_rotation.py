"""Rotating the key ring: a key is announced before it signs, and dropped with its last token.

When a key ends is decided as soon as the next one is made, and never again. Its end is written into
the name of its file before any other key is taken away, by which it could be reckoned otherwise.
"""

from __future__ import annotations

import math
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files import locks

from .conf import conf
from .key_ring import Key, KeyRing, file_name, read_key, read_ring

KINDS = ("EdDSA", "ES256", "ES384", "ES512", "RS256", "HS256")
RSA_BITS = 3072


class RotationError(Exception):
    """The ring was not changed. Its text says why."""


@dataclass
class Rotation:
    """The key that was made, the one that was revoked, and those that were deleted."""

    made: Key | None = None
    revoked: Key | None = None
    dropped: list[Key] = field(default_factory=list)


def rotate(kind: str | None, announced_for: float) -> Rotation:
    """Make the next key and drop those that verify nothing any more.

    The key signs after `announced_for` seconds, so that every server knows it by then; the first
    one signs at once. Nothing is made while a key waits to sign.

    Raises:
        RotationError: there is no folder, it cannot be written, or a file in it is unfit: a new key
            in place of one that cannot be read would sign everybody out.
    """
    folder = _folder()
    with _writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _changing(folder):
        now, ring = time.time(), read_ring(folder)
        if ring.problems:
            unfit = "; ".join(ring.problems)
            raise RotationError(
                f"Nothing was changed, because the key ring has an unfit key: {unfit}."
            )
        done = Rotation()
        if not any(key.starts > now for key in ring.signers):
            starts = now + announced_for if ring.find_signer(now) else now
            done.made = _make(folder, kind or _kind_of(ring.signers), starts)
        done.dropped = [key for key in _record_ends(folder).keys if key.ends <= now]
        for key in done.dropped:
            key.path.unlink()
    return done


def revoke(kid: str) -> Rotation:
    """Take a key out at once: what it signed is refused.

    If it signs, or is to sign, one is made in its place. That one signs from the same time, or now:
    the key before it has its end, and signs no longer. An unfit file is left alone: a leaked key
    cannot wait.

    Raises:
        RotationError: there is no such key, or the folder cannot be written.
    """
    folder = _folder()
    with _changing(folder):
        now, ring = time.time(), read_ring(folder)
        revoked = [key for key in ring.keys if key.kid == kid]  # with its public half, perhaps
        if not revoked:
            known = ", ".join(other.kid for other in ring.keys) or "no key"
            raise RotationError(f"No key is called {kid}. The ring has {known}.")
        done = Rotation(revoked=revoked[0])
        signer = ring.find_signer(now)
        missed = [key for key in revoked if key.private and (key is signer or key.starts > now)]
        if missed:
            done.made = _make(folder, _kind_of(missed), max(now, missed[0].starts))
        for key in _record_ends(folder).keys:
            if key.kid == kid:
                key.path.unlink()
    return done


def _record_ends(folder: Path) -> KeyRing:
    """Write the end of each key that has one into the name of its file. Return the ring."""
    ring = read_ring(folder)
    for key in ring.keys:
        name = file_name(key.starts, key.ends, key.path.suffix)
        if key.path.name != name:
            key.path = key.path.rename(folder / name)
    return ring


def _folder() -> Path:
    if conf.KEYS_DIR is None:
        raise RotationError(
            "There is no key ring: the key is TOKEN_BLACKLIST['SIGNING_KEY']. Set KEYS_DIR to a "
            "folder, and copy the key into it to keep everybody signed in."
        )
    return Path(conf.KEYS_DIR)


def _kind_of(signers: list[Key]) -> str:
    if not signers:
        return "EdDSA"
    algorithm = signers[-1].algorithm
    return {"R": "RS256", "P": "RS256", "H": "HS256"}.get(algorithm[0], algorithm)


def _make(folder: Path, kind: str, starts: float) -> Key:
    """Write a new key, whole or not at all; only its owner can read it.

    No two keys have one start: it says which of them signs.
    """
    text, suffix = _new_key(kind)
    hidden = folder / f".{secrets.token_hex(8)}"
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    second = int(starts)
    while any(folder.glob(f"{file_name(second, math.inf, '')}*")):
        second += 1
    return read_key(hidden.rename(folder / file_name(second, math.inf, suffix)))


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Raise RotationError for an error of the file system."""
    try:
        yield
    except OSError as error:
        sentence = f"The folder {folder} cannot be written: {error.strerror}."
        raise RotationError(sentence) from error


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Let one command at a time change the folder."""
    with _writing(folder):
        descriptor = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            locks.lock(file, locks.LOCK_EX)
            yield


def _new_key(kind: str) -> tuple[str, str]:
    """Return the text of a new key and the suffix of its file."""
    if kind == "HS256":
        return secrets.token_urlsafe(64) + "\n", ".secret"
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # an extra
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
    except ImportError as error:
        raise RotationError(
            f"A key for {kind} needs the package cryptography. Install it, or use HS256."
        ) from error
    curves: dict[str, Any] = {
        "ES256": ec.SECP256R1(),
        "ES384": ec.SECP384R1(),
        "ES512": ec.SECP521R1(),
    }
    if kind == "EdDSA":
        key: Any = ed25519.Ed25519PrivateKey.generate()
    elif kind in curves:
        key = ec.generate_private_key(curves[kind])
    else:
        key = rsa.generate_private_key(65537, RSA_BITS)
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode(), ".pem"
