"""The key ring: one key signs, any number verify (RFC 7517).

The keys are those of the options, or the files of the folder KEYS_DIR. A file is called after the
time from which its key signs, such as `20261129T164500Z.pem`: a private key, or a public key that
only verifies, in PEM format; a `.secret` is a secret for HS*. A key verifies until the tokens that
it signed have expired. `rotatekeys` writes that end into the name, once another key is to sign:
`20261129T164500Z--20261230T164500Z.pem`. So a key that has ended stays ended, whatever becomes of
the other keys. The folder is read again when it has changed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
import os
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import jwt
from django.core.signals import setting_changed

from .conf import conf
from .exceptions import Unavailable
from .fetch import fetch_json

logger = logging.getLogger(__name__)

HMAC_MINIMUM_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}  # RFC 7518 section 3.2
RSA_BITS = 2048  # RFC 7518 section 3.3
ALGORITHMS = {
    *HMAC_MINIMUM_BYTES,
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
}
"""What ALGORITHM may be. `none` is not a signature and is never here (RFC 8725 section 3.1)."""

OF_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
NAMED = "%Y%m%dT%H%M%SZ"
BETWEEN = "--"  # the start and the end of a key, in the name of its file
THUMBPRINT = {  # the members that RFC 7638 section 3.2 and RFC 8037 section 2 name
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}
KEPT_FOR = 300.0  # seconds, as the header Cache-Control of the public keys says
UNKNOWN_KEPT_FOR = 10.0  # seconds; a client can send any number of tokens with unknown keys
RETRIED_AFTER = 1.0  # seconds, while no key is known
SETTLED_AFTER = 2.0  # seconds; two changes within a tick of the file system have one time
CHECKED_EVERY = 1.0  # seconds; the times of three files take 15 us, at each use of a key

Files: TypeAlias = tuple[tuple[Any, ...], ...]  # of each: its name, inode, size and times


class Key:
    """A key of the ring, for one algorithm.

    `private` is a secret or a private key, `public` a public key; either may be missing. The key
    signs from `starts` until another one does, and verifies until `ends`, in seconds since 1970.
    """

    starts, ends = 0.0, math.inf
    path: Any = None

    def __init__(self, algorithm: str, private: Any, public: Any = "") -> None:
        self.algorithm, self.private, self.public = algorithm, private, public

    @property
    def is_secret(self) -> bool:
        return self.algorithm in HMAC_MINIMUM_BYTES

    @property
    def signing(self) -> Any:
        """The prepared key that signs. Raises TypeError, ValueError or PyJWTError if unfit."""
        return _prepared(self.algorithm, self.private)

    @property
    def verifying(self) -> Any:
        """The prepared key that verifies: a secret itself, otherwise the public key.

        If that is not given, it is the public half of the private key.
        """
        if self.is_secret:
            return self.signing
        if self.public:
            return _prepared(self.algorithm, self.public)
        return _public_half(self.algorithm, self.private)

    @cached_property
    def kid(self) -> str:
        """The key's id: the thumbprint of a public key (RFC 7638), a digest of a secret."""
        if self.is_secret:
            return _base64(hmac.digest(self.signing, b"kid", "sha256")[:16])
        jwk = self._jwk
        named = {name: jwk[name] for name in THUMBPRINT[jwk["kty"]]}
        written = json.dumps(named, separators=(",", ":"), sort_keys=True).encode()
        return _base64(hashlib.sha256(written).digest())

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as a JSON Web Key (RFC 7517 section 4)."""
        return {**self._jwk, "use": "sig", "alg": self.algorithm, "kid": self.kid}

    @cached_property
    def _jwk(self) -> dict[str, Any]:
        algorithm: Any = jwt.get_algorithm_by_name(self.algorithm)
        made: dict[str, Any] = algorithm.to_jwk(self.verifying, as_dict=True)
        return {name: made[name] for name in THUMBPRINT[made["kty"]]}


class KeyRing:
    """The keys, in the order in which they sign, and what is wrong with the others."""

    def __init__(self, keys: Iterable[Key], problems: Iterable[str] = ()) -> None:
        self.keys = tuple(sorted(keys, key=lambda key: key.starts))
        self.problems = list(problems)
        self.signers = [key for key in self.keys if key.private]
        for key, following in zip(self.signers, self.signers[1:], strict=False):
            if key.ends == math.inf:  # no command has recorded it yet
                key.ends = math.ceil(following.starts + self.lifetime)  # names have whole seconds

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

    def verifiers(self, token: str | bytes) -> Iterable[Key]:
        """Return the keys that may have signed the token: that of its `kid`, or all.

        Raises:
            Unavailable: there is no key at all.
            jwt.PyJWTError: the token has no header that can be read.
        """
        if not self.keys:
            raise Unavailable
        if len(self.keys) == 1:  # whatever the token calls it
            return self.keys
        kid = jwt.get_unverified_header(token).get("kid")
        now = time.time()
        return [key for key in self.keys if key.ends > now and kid in {None, key.kid}]

    def find(self, kid: str) -> Key | None:
        return next((key for key in self.keys if key.kid == kid), None)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWK Set (RFC 7517 section 5)."""
        now = time.time()
        return {"keys": [key.jwk for key in self.keys if not key.is_secret and key.ends > now]}


class RemoteRing(KeyRing):
    """The public keys of another site, read again after KEPT_FOR and for a key that is unknown.

    PyJWT's PyJWKClient forgets them after that time, and the service would stop when the other
    site does. It also refuses tokens without a `kid`.
    """

    SECONDS = 5.0  # for one answer
    MOST = 2**20  # bytes

    def __init__(self, url: str) -> None:
        super().__init__([])
        self.url, self.read_at, self.lock = url, -math.inf, threading.Lock()
        self.process = os.getpid()

    def refresh(self, older_than: float) -> None:
        """Read the keys if they are older. If that fails in any way, those that are known stay."""
        if self.keys and self._is_newer(older_than):
            return
        if self.process != os.getpid():  # a fork may inherit a lock that nobody there releases
            self.process, self.lock = os.getpid(), threading.Lock()
        # Known keys are used while another thread reads the next ones.
        if not self.lock.acquire(blocking=not self.keys):
            return
        try:
            if not self._is_newer(older_than if self.keys else RETRIED_AFTER):
                self._read()
        finally:
            self.lock.release()

    def _read(self) -> None:
        try:
            told = fetch_json(self.url, seconds=self.SECONDS, most=self.MOST)
            self.keys = tuple(_public_keys(told["keys"]))
        except Exception as error:  # another server can answer anything
            logger.exception("the public keys cannot be read: %s", type(error).__name__)
        # At the end: requests that waited for it do not read again, one after another.
        self.read_at = time.monotonic()

    def _is_newer(self, seconds: float) -> bool:
        return time.monotonic() - self.read_at < seconds

    def verifiers(self, token: str | bytes) -> Iterable[Key]:
        if not self.keys:
            raise Unavailable
        kid = jwt.get_unverified_header(token).get("kid")
        if kid is not None and self.find(kid) is None:
            self.refresh(UNKNOWN_KEPT_FOR)
        return [key for key in self.keys if kid in {None, key.kid}]


def _public_keys(jwks: list[Any]) -> list[Key]:
    """Return the keys that this app can use. Raises ValueError if there is none."""
    found = []
    for jwk in jwks:
        try:
            found.append(_key_of(jwk))
        except (ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
            logger.warning("a public key is left out: %s", type(error).__name__)
    if not found:
        raise ValueError("no key")
    return found


def _key_of(jwk: dict[str, Any]) -> Key:
    """Return the key of a JSON Web Key, called as its publisher calls it."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # an extra

    made = jwt.PyJWK(jwk)
    if made.algorithm_name not in ALGORITHMS - set(HMAC_MINIMUM_BYTES):
        raise ValueError("not a public key")
    public = made.key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key = Key(made.algorithm_name, "", public.decode())
    vars(key)["kid"] = made.key_id or key.kid
    return key


@lru_cache(maxsize=4)
def _remote_ring(url: str) -> RemoteRing:
    return RemoteRing(url)


def longest_lifetime() -> timedelta:
    """Return how long after its issue a token may be accepted."""
    lifetimes = (
        conf.ACCESS_TOKEN_LIFETIME,
        conf.REFRESH_TOKEN_LIFETIME,
        conf.SLIDING_TOKEN_REFRESH_LIFETIME,
    )
    return max(lifetimes) + conf.LEEWAY


def current_ring() -> KeyRing:
    """Return the ring of the settings.

    A file that is added, renamed or removed counts from the next call on, because the time of the
    folder changes with it. One that is overwritten in place counts after CHECKED_EVERY.
    """
    if conf.JWKS_URL is not None:
        ring = _remote_ring(conf.JWKS_URL)
        ring.refresh(KEPT_FOR)
        return ring
    if conf.KEYS_DIR is None:
        return ring_of(conf.ALGORITHM, conf.SIGNING_KEY, conf.VERIFYING_KEY)
    folder = Path(conf.KEYS_DIR)
    try:
        changed = folder.stat().st_mtime_ns
        files, newest = _checked_files(folder, changed, time.monotonic() // CHECKED_EVERY)
        is_settled = time.time() - max(changed, newest) / 1e9 >= SETTLED_AFTER
        return _read(folder, changed, files) if is_settled else read_ring(folder)
    except OSError as error:
        return _unreadable(str(folder), error.strerror or "it cannot be read")


@lru_cache(maxsize=8)
def ring_of(algorithm: str, signing_key: Any, verifying_key: Any) -> KeyRing:
    """Return the ring of one key."""
    return KeyRing([Key(algorithm, signing_key, verifying_key)])


@lru_cache(maxsize=2)
def _unreadable(folder: str, reason: str) -> KeyRing:
    logger.error("the key ring %s cannot be read: %s", folder, reason)
    return KeyRing([], [f"The folder {folder} cannot be read: {reason}"])


@lru_cache(maxsize=2)
def _checked_files(folder: Path, changed: int, turn: float) -> tuple[Files, int]:
    """Return the files, and when the last of them changed; once for each turn of a second."""
    files = _files_of(folder)
    return files, max((state[-1] for _name, *state in files if state), default=0)


@lru_cache(maxsize=2)
def _read(folder: Path, changed: int, files: Files) -> KeyRing:
    """Read the ring once for each state of the folder and its files."""
    return read_ring(folder)


def read_ring(folder: Path) -> KeyRing:
    """Return the ring of a folder's files, as they are now.

    Raises:
        OSError: the folder cannot be read.
    """
    files = _files_of(folder)
    while True:
        ring = _ring_of_files(folder / name for name, *_ in files)
        now = _files_of(folder)
        if now == files:  # otherwise, a file that was given another name may be missing
            break
        files = now
    for problem in ring.problems:
        logger.error("a key of the ring is left out: %s", problem)
    return ring


def _files_of(folder: Path) -> Files:
    """Return the name of each file, and what differs when it is another or has other contents.

    Its last time is that of the inode, which no program can set: `cp -p` keeps size and mtime.
    """
    with os.scandir(folder) as entries:
        # Hidden are ..data, of a volume in Kubernetes, and files that are being written.
        shown = [entry for entry in entries if not entry.name.startswith(".")]
        return tuple(sorted((entry.name, *_state_of(entry)) for entry in shown))


def _state_of(entry: os.DirEntry[str]) -> tuple[int, ...]:
    try:
        state = entry.stat()
    except OSError:  # it is gone, or a link to nothing
        return ()
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _ring_of_files(paths: Iterable[Path]) -> KeyRing:
    keys, problems = [], []
    for path in paths:
        try:
            keys.append(read_key(path))
        except (OSError, ValueError, TypeError, jwt.PyJWTError) as error:
            # The text of an error may hold a part of the key.
            reason = str(error) if isinstance(error, UnfitKeyError) else type(error).__name__
            problems.append(f"{path.name}: {reason}")
    return KeyRing(keys, problems)


class UnfitKeyError(ValueError):
    """A file of the ring is not a key. Its text says why and holds nothing of the key."""


def read_key(path: Path) -> Key:
    """Return the key in a file.

    Raises:
        UnfitKeyError: it is not a key that this app can use.
        OSError: it cannot be read.
    """
    starts, ends = _times_of(path)
    text = path.read_text(encoding="utf-8").strip()
    if path.suffix == ".secret":
        algorithm = conf.ALGORITHM if conf.ALGORITHM in HMAC_MINIMUM_BYTES else "HS256"
        if len(text.encode()) < HMAC_MINIMUM_BYTES[algorithm]:
            least = HMAC_MINIMUM_BYTES[algorithm]
            raise UnfitKeyError(f"the secret is shorter than {least} bytes")
        key = Key(algorithm, text)
    else:
        is_private = "PRIVATE KEY-----" in text
        private, public = (text, "") if is_private else ("", text)
        algorithm = _algorithm_of(text, is_private=is_private)
        key = Key(algorithm, private, public)
    key.starts, key.ends, key.path = starts, ends, path
    key.kid  # noqa: B018  # raises
    return key


def file_name(starts: float, ends: float, suffix: str) -> str:
    """Return the name of a key's file. `ends` is math.inf while it is not decided."""
    times = [starts] if ends == math.inf else [starts, ends]
    return BETWEEN.join(f"{datetime.fromtimestamp(at, UTC):{NAMED}}" for at in times) + suffix


def _times_of(path: Path) -> tuple[float, float]:
    """Return when a key starts and ends, from the name of its file."""
    start, between, end = path.stem.partition(BETWEEN)
    try:
        starts, ends = _time_of(start), _time_of(end) if between else math.inf
    except ValueError:
        starts = ends = -1
    if min(starts, ends) < 0 or path.suffix not in {".pem", ".secret"}:
        raise UnfitKeyError("the name is not like 20261129T164500Z.pem or 20261129T164500Z.secret")
    return starts, ends


def _time_of(text: str) -> float:
    return datetime.strptime(text, NAMED).replace(tzinfo=UTC).timestamp()


def _algorithm_of(pem: str, *, is_private: bool) -> str:
    """Return the algorithm of a key in PEM format: for RSA, the option if it is one of RSA's."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # an extra
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415

    key: Any
    if is_private:
        key = serialization.load_pem_private_key(pem.encode(), password=None).public_key()
    else:
        key = serialization.load_pem_public_key(pem.encode())
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "EdDSA"
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < RSA_BITS:
            raise UnfitKeyError(f"the key has fewer than {RSA_BITS} bits")
        return conf.ALGORITHM if conf.ALGORITHM[:2] in {"RS", "PS"} else "RS256"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in OF_CURVES:
        return OF_CURVES[key.curve.name]
    raise UnfitKeyError("keys of this kind cannot sign tokens")


@lru_cache(maxsize=32)
def _prepared(algorithm: str, key: Any) -> Any:
    """Parsing a PEM key takes longer than signing with it, so it is done once."""
    return jwt.get_algorithm_by_name(algorithm).prepare_key(key)


@lru_cache(maxsize=32)
def _public_half(algorithm: str, key: Any) -> Any:
    return _prepared(algorithm, key).public_key()


def _base64(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _forget(**kwargs: Any) -> None:
    _checked_files.cache_clear()
    _read.cache_clear()
    _remote_ring.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.key_ring")
