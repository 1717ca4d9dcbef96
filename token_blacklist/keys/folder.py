"""Read the folder of key files of earlier versions, for `rotatekeys --import`.

A file name is the time at which the key starts signing and, if set, the time at which it expires:
`20261129T164500Z--20261230T164500Z.pem`. A `.secret` file contains a secret, any other a PEM key.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import jwt

from ..conf import conf
from .key import CURVES, HMAC_MINIMUM_BYTES, RSA_ALGORITHMS, Key, key_of, key_of_options
from .rotation import RotationError


def keys_of_folder(folder: Path) -> list[Key]:
    """Return the keys, without duplicates, with their ids and times.

    Raises:
        RotationError: the folder or a file cannot be read, or a file is not a key.
    """
    keys: dict[str, Key] = {}
    try:
        for path in sorted(folder.iterdir()):
            if not path.name.startswith("."):
                key = _read(path)
                if key.signing or key.kid not in keys:  # a public key may have the same id
                    keys[key.kid] = key
    except OSError as error:
        raise RotationError(f"{error.filename} cannot be read: {error.strerror}.") from error
    if not keys:
        raise RotationError(f"The folder {folder} has no key.")
    return list(keys.values())


def _read(path: Path) -> Key:
    start, _dashes, end = path.stem.partition("--")
    rsa = conf.ALGORITHM if conf.ALGORITHM in RSA_ALGORITHMS else "RS256"
    secret = conf.ALGORITHM if conf.ALGORITHM in HMAC_MINIMUM_BYTES else "HS256"
    for algorithm in [secret] if path.suffix == ".secret" else [*CURVES, rsa]:
        try:
            text = path.read_text(encoding="utf-8").strip()
            pair = ("", text) if "PUBLIC KEY-----" in text else (text, "")
            key = key_of(key_of_options(algorithm, *pair).jwk)
            return key.with_times(_timestamp(start), _timestamp(end) if end else math.inf)
        except (AttributeError, TypeError, ValueError, jwt.PyJWTError):
            continue  # the key may be for another algorithm
    raise RotationError(f"Nothing was imported, because {path.name} is not a key that can be used.")


def _timestamp(text: str) -> float:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
