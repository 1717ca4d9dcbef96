"""The public keys in the format for other services."""

from __future__ import annotations

import time
from typing import Any

from .key_set import current_set


def public_keys() -> dict[str, Any]:
    """Return the JWK Set (RFC 7517 section 5) of the unexpired public keys, without secrets."""
    now = time.time()
    keys = [key for key in current_set().keys if not key.is_secret and key.ends > now]
    return {"keys": [key.public_jwk for key in keys]}
