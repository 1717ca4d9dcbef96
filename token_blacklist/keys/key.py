"""One key: a JSON Web Key (RFC 7517), prepared once for PyJWT's algorithms."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import jwt
from jwt.utils import base64url_encode

HMAC_MINIMUM_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}  # RFC 7518 section 3.2
RSA_MINIMUM_BITS = 2048  # RFC 7518 section 3.3
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*HMAC_MINIMUM_BYTES, *CURVES, *RSA_ALGORITHMS)
"""The allowed values of ALGORITHM. Never `none`, which is no signature (RFC 8725 section 3.1)."""

PUBLIC_MEMBERS = {  # the members that RFC 7638 section 3.2 and RFC 8037 section 2 name
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}


class UnfitKeyError(ValueError):
    """A key cannot be used. The message gives the reason and contains nothing of the key."""


class Key:
    """A key for one algorithm, which signs from `starts` and verifies until `ends`.

    Both are seconds since 1970. `signing` is None in a key that only verifies. `jwk` is the key as
    stored in the key set, including the private key.
    """

    def __init__(self, jwk: Mapping[str, Any], signing: Any, verifying: Any) -> None:
        self.jwk, self.signing, self.verifying = jwk, signing, verifying
        self.kid, self.algorithm = str(jwk["kid"]), str(jwk["alg"])
        self.starts, self.ends = jwk.get("nbf", 0), jwk.get("exp", math.inf)
        self.method: Any = jwt.get_algorithm_by_name(self.algorithm)
        self.is_secret = self.algorithm in HMAC_MINIMUM_BYTES

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key for other services. Raises KeyError for a secret."""
        return {
            name: self.jwk[name] for name in (*PUBLIC_MEMBERS[self.jwk["kty"]], "use", "alg", "kid")
        }

    def with_times(self, starts: float, ends: float = math.inf) -> Key:
        """Return the key with other times, in whole seconds."""
        end = {} if ends == math.inf else {"exp": math.ceil(ends)}
        return Key({**self.jwk, "nbf": int(starts), **end}, self.signing, self.verifying)


def key_of(jwk: Any) -> Key:
    """Return the key of a JSON Web Key, private or public.

    Raises:
        UnfitKeyError: it is not a key that this app can use.
    """
    if not isinstance(jwk, dict) or jwk.get("alg") not in ALGORITHMS:
        raise UnfitKeyError(f"its alg is not one of {', '.join(ALGORITHMS)}")
    try:
        prepared = jwt.get_algorithm_by_name(jwk["alg"]).prepare_key(jwt.PyJWK(jwk).key)
    except Exception as error:  # PyJWT raises many classes for malformed keys
        # Without the message of the error and its traceback: both may contain the key.
        raise UnfitKeyError(f"it cannot be read ({type(error).__name__})") from None
    if reason := _unfit(jwk, prepared):
        raise UnfitKeyError(reason)
    return Key({"use": "sig", **jwk}, *_halves(prepared))


def _unfit(jwk: dict[str, Any], prepared: Any) -> str | None:
    """Return why the key cannot be used, or None."""
    algorithm = jwk["alg"]
    least = HMAC_MINIMUM_BYTES.get(algorithm, 0)
    times = [jwk[name] for name in ("nbf", "exp") if name in jwk]
    if not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        return "it has no kid"
    if jwk.get("use", "sig") != "sig":
        return "its use is not sig"
    if not all(type(time) is int and 0 <= time < 2**40 for time in times):
        return "its nbf and exp are not whole seconds since 1970"
    if jwk.get("crv") != CURVES.get(algorithm):
        return "keys of this kind cannot sign tokens"
    if algorithm in RSA_ALGORITHMS and prepared.key_size < RSA_MINIMUM_BITS:
        return f"the key has fewer than {RSA_MINIMUM_BITS} bits"
    return f"the secret is shorter than {least} bytes" if least and len(prepared) < least else None


def _halves(prepared: Any) -> tuple[Any, Any]:
    """Return the signing key, or None for a public key, and the verifying key."""
    if hasattr(prepared, "public_key"):
        return prepared, prepared.public_key()
    return (prepared if isinstance(prepared, bytes) else None), prepared


def key_of_options(algorithm: str, signing_key: Any, verifying_key: Any = "") -> Key:
    """Return the key of a secret, or of one or two keys in PEM format.

    If a public key is given, a signing key that is not a private key is ignored.

    Raises:
        TypeError, ValueError, jwt.PyJWTError: the key is unfit.
    """
    prepare: Any = jwt.get_algorithm_by_name(algorithm).prepare_key
    if not verifying_key or algorithm in HMAC_MINIMUM_BYTES:
        private, public = _halves(prepare(signing_key))
    else:
        (unexpected, public), private = _halves(prepare(verifying_key)), None
        if unexpected:
            raise UnfitKeyError("VERIFYING_KEY is not a public key")
        with suppress(TypeError, ValueError, jwt.PyJWTError):
            private = _halves(prepare(signing_key))[0]
    if not (private or verifying_key):
        raise UnfitKeyError("SIGNING_KEY is not a private key")
    return Key(jwk_of(algorithm, private or public), private, public)


def jwk_of(algorithm: str, key: Any) -> dict[str, Any]:
    """Return the JSON Web Key of a secret or of a key object of cryptography.

    Its id is the thumbprint of a public key (RFC 7638), or a digest of a secret.
    """
    method: Any = jwt.get_algorithm_by_name(algorithm)
    jwk = {**method.to_jwk(key, as_dict=True), "use": "sig", "alg": algorithm}
    jwk.pop("key_ops", None)
    if isinstance(key, bytes):
        digest = hmac.digest(key, b"kid", "sha256")[:16]
    else:
        named = {name: jwk[name] for name in PUBLIC_MEMBERS[jwk["kty"]]}
        written = json.dumps(named, separators=(",", ":"), sort_keys=True).encode()
        digest = hashlib.sha256(written).digest()
    return {**jwk, "kid": base64url_encode(digest).decode()}
