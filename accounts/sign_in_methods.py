"""How a user has proved who they are: the claims `amr` and `auth_time` of a session's tokens.

The values of `amr` are those of RFC 8176, except `fed`, which has none there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from rest_framework.request import Request

from token_blacklist.middleware import reauthenticated
from token_blacklist.tokens import Token

from .models import User

AMR_CLAIM = "amr"
PASSWORD = {"method": "password"}
_METHODS = {
    "pwd": ["password"],
    "otp": [
        "code",
        Authenticator.Type.TOTP,
        Authenticator.Type.RECOVERY_CODES,
    ],  # code: an e-mail's
    # Not hwk or swk: a passkey may be in a security key or synchronized, which nobody can verify.
    "pop": [Authenticator.Type.WEBAUTHN],
    "fed": ["socialaccount"],
}
_VALUES = {method: value for value, methods in _METHODS.items() for method in methods}


def second_factor_record(authenticator: Authenticator) -> dict[str, Any]:
    """Return what django-allauth records when a second factor was used."""
    return {"method": "mfa", "type": authenticator.type}


def record(request: Request, *methods: Mapping[str, Any]) -> None:
    """Set the methods by which a request of the API signs in, as django-allauth does for pages."""
    request.sign_in_methods = methods  # type: ignore[attr-defined]  # for session_claims


def session_claims(user: User, request: Any) -> dict[str, list[str]]:
    """Return the claim `amr` for a new session. The value of the option SESSION_CLAIMS.

    It has every method that the session has used. A session that replaces the caller's, as after a
    change of the password, keeps those of the replaced one.
    """
    methods = getattr(request, "sign_in_methods", None)
    if methods is None and hasattr(request, "session"):
        methods = get_authentication_records(request, user)
    replaced = getattr(request, "auth", None)
    before = replaced.get(AMR_CLAIM, ()) if isinstance(replaced, Token) else ()
    values = list(dict.fromkeys([*before, *amr(methods or ())]))
    return {AMR_CLAIM: values} if values else {}


def amr(methods: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the values for django-allauth's records of authentication methods.

    `mfa` is added for a second factor after another method, and for a passkey that replaced the
    password, because it asked for a PIN or a fingerprint.
    """
    methods = list(methods)
    values = [_VALUES.get(each.get("type", each["method"])) for each in methods]
    is_second = [each["method"] == "mfa" for each in methods]
    if any(each.get("passwordless") for each in methods) or len({*is_second}) > 1:
        values.append("mfa")
    return list(dict.fromkeys(filter(None, values)))


def renew_auth_time(request: Any, **kwargs: Any) -> None:
    """Set `auth_time` to now when a user confirms who they are on a page or in the accounts API.

    Receiver of allauth's `authentication_step_completed`, which it also sends for sign-ins.
    """
    if kwargs.get("reauthenticated"):
        reauthenticated(request)
