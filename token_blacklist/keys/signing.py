"""Signing and verifying JSON Web Tokens (RFC 7519)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from django.core.signals import setting_changed
from django.utils.translation import gettext_lazy as _
from jwt import algorithms
from jwt.utils import base64url_encode

from ..conf import conf
from ..exceptions import ExpiredTokenError, TokenError
from .key import ALGORITHMS, Key
from .key_set import KeySet, current_set, set_of_options
from .remote import remote_set

# Minimum tolerance for `iat` and `nbf` in the future. Without it, a server whose clock is 100 ms
# behind refuses a token that another server has just signed.
CLOCK_SKEW = timedelta(seconds=30)


def _numeric_date(value: Any) -> int:
    """Return a datetime as a NumericDate (RFC 7519 section 2). For the JSON encoder."""
    if isinstance(value, datetime):
        return epoch(value)
    raise TypeError(f"{type(value).__name__} cannot be written into a token")


_json = json.JSONEncoder(separators=(",", ":"), default=_numeric_date, allow_nan=False)
_json_in_utf_8 = json.JSONEncoder(ensure_ascii=False, default=_numeric_date)


def _written(claims: dict[str, Any]) -> bytes:
    """Return the claims as JSON.

    Raises:
        TypeError, ValueError: a claim is nothing that JSON has: NaN, an infinite number, half of a
            surrogate pair, an object. No service could read the token.
        RecursionError: the claims are nested too deep.
    """
    text = _json.encode(claims)
    if "\\ud" in text:  # an escaped surrogate, which UTF-8 only has in pairs
        _json_in_utf_8.encode(claims).encode()
    return text.encode()


class TokenBackend:
    """Signs and verifies with one algorithm and key. Simple JWT has it in `backends`.

    The arguments are the options of the same names, in Simple JWT's order. Only `leeway` may be
    changed later, because verified tokens are cached.

    Raises:
        TokenError: the algorithm is not one of ALGORITHMS, or needs `cryptography`, which is not
            installed; or `jwk_url` or `json_encoder` is given.
    """

    algorithm: str
    signing_key: Any
    verifying_key: Any
    audience: str | Sequence[str] | None
    issuer: str | None
    leeway: Any
    names_keys = False  # whether tokens have the header `kid`

    def __init__(  # noqa: PLR0917  # Simple JWT's order
        self,
        algorithm: str,
        signing_key: str | None = None,
        verifying_key: str = "",
        audience: str | Sequence[str] | None = None,
        issuer: str | None = None,
        jwk_url: None = None,
        leeway: float | timedelta | None = None,
        json_encoder: None = None,
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise TokenError(f"Unrecognized algorithm type '{algorithm}'")
        if algorithm in algorithms.requires_cryptography and not algorithms.has_crypto:
            raise TokenError(f"You must have cryptography installed to use {algorithm}.")
        if jwk_url or json_encoder:
            raise TokenError("This app has neither JWK_URL nor JSON_ENCODER.")
        self.algorithm, self.signing_key, self.verifying_key = algorithm, signing_key, verifying_key
        self.audience, self.issuer, self.leeway = audience, issuer, leeway

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the claims as a signed token in compact form.

        Adds `aud` and `iss` where they are set. HS*, RS* and EdDSA give the same bytes for the
        same claims in the same order; ES* and PS* have a random part.

        Raises:
            TokenError: the claims are nested too deep to be written.
            TypeError, ValueError: a claim is nothing that JSON has, such as NaN.
        """
        claims = dict(payload)
        if self.audience is not None:
            claims["aud"] = self.audience
        if self.issuer is not None:
            claims["iss"] = self.issuer
        try:
            written = _written(claims)
        except RecursionError as error:  # claims that could be read can be too deep to write
            raise TokenError(_("Token is invalid")) from error
        key = self.key_set().signer(_issued_at(claims))
        return signed(written, key, _header(key.algorithm, key.kid if self.names_keys else None))

    def decode(self, token: str | bytes, verify: bool = True) -> dict[str, Any]:
        """Return the claims of a token whose signature, times, audience and issuer are valid.

        Only the key's algorithm is accepted, regardless of the token's header (RFC 8725
        section 3.1), and `exp` is required. `iat` and `nbf` may be in the future by CLOCK_SKEW, or
        by the leeway if that is more. With `verify=False`, only the format is checked.

        Raises:
            ExpiredTokenError: the signature is valid, but `exp` plus the leeway has passed.
            TokenError: the token is invalid or malformed in any other way.
        """
        try:
            if not verify:
                return jwt.decode(token, options={"verify_signature": False})
            written, key = _verified(token, self, self.key_set())
            claims: dict[str, Any] = json.loads(written)
            if "exp" not in claims:
                raise TokenError(_("Token has no '%s' claim") % "exp")
            now, leeway = time.time(), self.get_leeway()
            if key.ends <= now:
                raise TokenError(_("Token is invalid"))
            if int(claims["exp"]) <= now - leeway.total_seconds():
                raise ExpiredTokenError(_("Token is expired"))
            latest = now + max(leeway, CLOCK_SKEW).total_seconds()
            if any(int(claims[name]) > latest for name in ("iat", "nbf") if name in claims):
                raise TokenError(_("Token is invalid"))
        except jwt.InvalidAlgorithmError as error:
            raise TokenError(_("Invalid algorithm specified")) from error
        # PyJWT does not catch some of its errors: an exp of 1e999, deep nesting, lone surrogates.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise TokenError(_("Token is invalid")) from error
        return claims

    def get_leeway(self) -> timedelta:
        """Return how long a token is accepted after its expiry.

        Raises:
            TokenError: `leeway` is neither a number of seconds nor a timedelta.
        """
        if self.leeway is None or isinstance(self.leeway, int | float):
            return timedelta(seconds=self.leeway or 0)
        if isinstance(self.leeway, timedelta):
            return self.leeway
        raise TokenError(
            f"Unrecognized type {type(self.leeway).__name__!r}, "
            "'leeway' must be of type int, float or timedelta."
        )

    def key_set(self) -> KeySet:
        """Return the keys. Raises TypeError, ValueError or PyJWTError if one is unfit."""
        return set_of_options(self.algorithm, self.signing_key, self.verifying_key)


class _FromSettings:
    """An attribute that reads an option, and can be set, as in Simple JWT's backend."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, backend: object, owner: type) -> Any:
        return getattr(conf, self.name)


class _ConfiguredBackend(TokenBackend):
    """Reads each option from the settings when it is used, and signs with the current key set."""

    names_keys = True
    algorithm: Any = _FromSettings("ALGORITHM")
    signing_key: Any = _FromSettings("SIGNING_KEY")
    verifying_key: Any = _FromSettings("VERIFYING_KEY")
    audience: Any = _FromSettings("AUDIENCE")
    issuer: Any = _FromSettings("ISSUER")
    leeway: Any = _FromSettings("LEEWAY")

    def __init__(self) -> None:
        """Set nothing."""

    def key_set(self) -> KeySet:
        return remote_set(conf.JWKS_URL) if conf.JWKS_URL else current_set()


token_backend = _ConfiguredBackend()
encode, decode = token_backend.encode, token_backend.decode


def signed(payload: bytes, key: Key, header: bytes) -> str:
    """Return the payload in compact form (RFC 7515 section 3.1), as PyJWT's `encode` does.

    PyJWT checks the key again for each signature, which takes 13 of 35 us with HS256. Here it is
    checked once, when the key is read.
    """
    message = header + b"." + base64url_encode(payload)
    signature: bytes = key.method.sign(message, key.signing)
    return (message + b"." + base64url_encode(signature)).decode()


@lru_cache(maxsize=32)
def _header(algorithm: str, kid: str | None) -> bytes:
    named = {"alg": algorithm, **({"kid": kid} if kid else {}), "typ": "JWT"}
    return base64url_encode(json.dumps(named, separators=(",", ":")).encode())


@lru_cache(maxsize=2048)
def _verified(token: str | bytes, by: TokenBackend, key_set: KeySet) -> tuple[str, Key]:
    """Verify signature, audience and issuer. Return the claims as JSON, and the signing key.

    A client sends its access token many times, so the last 2,048 tokens are cached, in 1.3 MB. That
    saves 0.1 of the 0.7 ms of an authenticated request (HS256, in process). Times, type, user and
    session are checked each time. Invalid tokens are not cached, and when the keys change, every
    token is verified again.
    """
    # PyJWT reads the token and checks its form and claims once, for all keys that may have signed.
    read = jwt.decode_complete(
        token,
        audience=by.audience,
        issuer=by.issuer,
        options={
            "verify_signature": False,
            "verify_aud": by.audience is not None,
            "verify_iss": by.issuer is not None,
            "verify_sub": False,  # see below
            "verify_jti": True,
        },
    )
    claims = read["payload"]
    key = _signer_of(token, read, key_set)
    # Without ISSUER, PyJWT accepts an `iss` of any type, but cannot sign it again.
    if not isinstance(claims.get("iss", ""), str):
        raise jwt.InvalidIssuerError
    # PyJWT refuses a number, which Simple JWT wrote before 5.5 if USER_ID_CLAIM is `sub`.
    if type(claims.get("sub", "")) not in {str, int}:
        raise jwt.exceptions.InvalidSubjectError
    return json.dumps(claims, allow_nan=False), key


def _signer_of(token: str | bytes, read: dict[str, Any], key_set: KeySet) -> Key:
    """Return the key that signed the token. Raises jwt.PyJWTError if no key of the set did."""
    message = (token.encode() if isinstance(token, str) else token).rpartition(b".")[0]
    refused: jwt.PyJWTError = jwt.InvalidSignatureError()
    for key in key_set.verifiers(read["header"].get("kid")):
        if read["header"].get("alg") != key.algorithm:
            refused = jwt.InvalidAlgorithmError()
        elif key.method.verify(message, key.verifying, read["signature"]):
            return key
    raise refused


def _issued_at(claims: dict[str, Any]) -> float:
    """Return the time that selects the signing key: `iat`, at most ROTATION_GRACE_PERIOD ago.

    So a repeated refresh returns the same bytes even if another key signs by now.
    """
    now = time.time()
    issued = claims.get("iat")
    if isinstance(issued, datetime):
        issued = issued.timestamp()
    if not isinstance(issued, int | float):
        return now
    return min(now, max(issued, int(now - conf.ROTATION_GRACE_PERIOD.total_seconds())))


def _forget(**kwargs: Any) -> None:
    _verified.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.keys.signing")


def epoch(at: datetime) -> int:
    """Return whole seconds since 1970, the NumericDate of RFC 7519 section 2."""
    return int(at.timestamp())
