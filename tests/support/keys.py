"""Keys and key sets for tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from token_blacklist.keys.key import Key, jwk_of, key_of
from token_blacklist.keys.key_set import KeySet, read_set

RSA_KEY = rsa.generate_private_key(65537, 2048)
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def private_key(algorithm: str) -> Any:
    """Return a new secret, or a new private key; for RSA always the same one."""
    if algorithm.startswith("HS"):
        return os.urandom(64)
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    return ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else RSA_KEY


def new_key(algorithm: str = "EdDSA", *, at: float = -60, key: Any = None) -> Key:
    """Return a key that signs from so many seconds from now."""
    jwk = jwk_of(algorithm, private_key(algorithm) if key is None else key)
    return key_of(jwk).with_times(time.time() + at)


def public_half(key: Key) -> Key:
    """Return the key as one that only verifies."""
    return key_of(key.public_jwk).with_times(key.starts, key.ends)


def write_set(path: Path, keys: Iterable[Key]) -> None:
    """Replace the file by a set of the keys, as `rotatekeys` does."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text(KeySet(keys).text())
    fresh.chmod(0o600)
    fresh.replace(path)


def add_key(path: Path, key: Key) -> Key:
    """Add the key to the set in the file, by hand: it ends no other key."""
    before = read_set(path.read_text()).keys if path.exists() else ()
    write_set(path, [*before, key])
    return key


def signed_by(key: Key, claims: dict[str, Any]) -> str:
    """Return a token signed with the key, even if the key must not sign."""
    return jwt.encode(claims, key.signing, key.algorithm, headers={"kid": key.kid})
