"""Codes of a second factor and from e-mails."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)

PERIOD = 30  # seconds that a code of an authenticator app works


def totp(secret: str) -> str:
    """Return the code that an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD))


def add_authenticator_app(user: Any) -> str:
    """Give a user an authenticator app; return its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def add_recovery_codes(user: Any) -> list[str]:
    """Give a user recovery codes; return them."""
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


def code_in(message: Any) -> str:
    """Return the code of an e-mail: it has a line of its own."""
    (code,) = re.findall(r"^[A-Z0-9]+(?:-[A-Z0-9]+)*$", message.body, re.MULTILINE)
    return str(code)


def path_in(message: Any) -> str:
    """Return the path of the first link in an e-mail."""
    found = re.search(r"^https?://[^/\s]+(/\S+)$", message.body, re.MULTILINE)
    assert found, message.body
    return found[1]
