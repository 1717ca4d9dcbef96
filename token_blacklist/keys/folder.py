"""The keys of a folder, as they were kept before the key set: for `rotatekeys --import`.

A file is called after the time from which its key signs, and the time at which it ends if that was
decided: `20261129T164500Z--20261230T164500Z.pem`. A `.secret` contains a secret, others a PEM.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import jwt

from ..conf import conf
from .key import CURVES, HMAC_MINIMUM_BYTES, RSA, Key, key_of, key_of_options
from .rotation import RotationError


def keys_of_folder(folder: Path) -> list[Key]:
    """Return the keys, each once, with their ids and times.

    Raises:
        RotationError: the folder or a file cannot be read, or a file is not a key.
    """
    keys: dict[str, Key] = {}
    try:
        for path in sorted(folder.iterdir()):
            if not path.name.startswith("."):
                key = _read(path)
                if key.signing or key.kid not in keys:  # with its public half, perhaps
                    keys[key.kid] = key
    except OSError as error:
        raise RotationError(f"{error.filename} cannot be read: {error.strerror}.") from error
    if not keys:
        raise RotationError(f"The folder {folder} has no key.")
    return list(keys.values())


def _read(path: Path) -> Key:
    start, _dashes, end = path.stem.partition("--")
    rsa = conf.ALGORITHM if conf.ALGORITHM in RSA else "RS256"
    secret = conf.ALGORITHM if conf.ALGORITHM in HMAC_MINIMUM_BYTES else "HS256"
    for algorithm in [secret] if path.suffix == ".secret" else [*CURVES, rsa]:
        try:
            text = path.read_text(encoding="utf-8").strip()
            pair = ("", text) if "PUBLIC KEY-----" in text else (text, "")
            key = key_of(key_of_options(algorithm, *pair).jwk)
            return key.lasting(_time(start), _time(end) if end else math.inf)
        except (AttributeError, TypeError, ValueError, jwt.PyJWTError):
            continue  # of another algorithm, perhaps
    raise RotationError(f"Nothing was imported, because {path.name} is not a key that can be used.")


def _time(text: str) -> float:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
