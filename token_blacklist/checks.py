"""System checks for TOKEN_BLACKLIST: an invalid option is an error at the start, with a hint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import FieldDoesNotExist

from . import keys
from .conf import DEFAULTS, IMPORT_STRINGS, conf
from .exceptions import TokenError

LIFETIMES = (
    "ACCESS_TOKEN_LIFETIME",
    "REFRESH_TOKEN_LIFETIME",
    "SLIDING_TOKEN_LIFETIME",
    "SLIDING_TOKEN_REFRESH_LIFETIME",
    "SESSION_LIFETIME",
    "FLUSH_OVERDUE_AFTER",
)
FLAGS = (
    "ROTATE_REFRESH_TOKENS",
    "BLACKLIST_AFTER_ROTATION",
    "REQUIRE_OUTSTANDING",
    "CHECK_USER_IS_ACTIVE",
    "UPDATE_LAST_LOGIN",
)
RSA_BITS = 2048
UNFIT = (TokenError, jwt.PyJWTError, ValueError, TypeError, AttributeError)
CLAIMS = ("USER_ID_CLAIM", "TOKEN_TYPE_CLAIM", "JTI_CLAIM", "SLIDING_TOKEN_REFRESH_EXP_CLAIM")


@register(Tags.security)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Look at every option of TOKEN_BLACKLIST."""
    given: Any = conf.given()
    if not isinstance(given, dict):
        return [_error(1, "TOKEN_BLACKLIST is not a dict.", "Make it a dict of options.")]
    return [
        *_unknown_names(given),
        *_lifetimes(),
        *_flags(),
        *_claims(),
        *_user_id_field(),
        *_classes(),
        *_session_limit(),
        *_signing(),
    ]


def _error(number: int, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"token_blacklist.E{number:03}")


def _unknown_names(given: dict[str, Any]) -> Iterator[CheckMessage]:
    for name in sorted(given.keys() - DEFAULTS.keys()):
        yield _error(
            2,
            f"TOKEN_BLACKLIST has no option {name!r}.",
            "Correct the name or remove it. token_blacklist/conf.py lists the options.",
        )


def _lifetimes() -> Iterator[CheckMessage]:
    for name in LIFETIMES:
        value = getattr(conf, name)
        if name == "SESSION_LIFETIME" and value is None:
            continue
        if not isinstance(value, timedelta) or value < timedelta(seconds=1):
            yield _error(
                3,
                f"TOKEN_BLACKLIST[{name!r}] is {value!r}.",
                "Use a datetime.timedelta of at least one second.",
            )
    for name in ("ROTATION_GRACE_PERIOD", "LEEWAY"):
        try:
            value = getattr(conf, name)
        except TypeError:
            value = conf.given()[name]
        if not isinstance(value, timedelta) or value < timedelta(0):
            yield _error(
                4,
                f"TOKEN_BLACKLIST[{name!r}] is {value!r}.",
                "Use a datetime.timedelta of zero or more.",
            )


def _flags() -> Iterator[CheckMessage]:
    for name in FLAGS:
        if not isinstance(getattr(conf, name), bool):
            yield _error(
                5,
                f"TOKEN_BLACKLIST[{name!r}] is {getattr(conf, name)!r}.",
                "Use True or False.",
            )


def _claims() -> Iterator[CheckMessage]:
    for name in CLAIMS:
        value = getattr(conf, name)
        if name == "JTI_CLAIM" and value is None and not conf.LISTS_ENABLED:
            continue
        if not isinstance(value, str) or not value:
            yield _error(
                6,
                f"TOKEN_BLACKLIST[{name!r}] is {value!r}.",
                "Use the name of a claim. The lists identify a token by its id and type.",
            )


def _user_id_field() -> Iterator[CheckMessage]:
    try:
        field: Any = get_user_model()._meta.get_field(conf.USER_ID_FIELD)
    except FieldDoesNotExist:
        yield _error(
            7,
            f"The user model has no field {conf.USER_ID_FIELD!r}.",
            "Set TOKEN_BLACKLIST['USER_ID_FIELD'] to a unique field, usually the primary key.",
        )
        return
    if not field.unique:
        yield _error(
            8,
            f"TOKEN_BLACKLIST['USER_ID_FIELD'] is {conf.USER_ID_FIELD!r}, which is not unique.",
            "A token must identify one user. Use a unique field.",
        )


def _classes() -> Iterator[CheckMessage]:
    for name in sorted(IMPORT_STRINGS):
        try:
            value = getattr(conf, name)
        except ImportError as error:
            yield _error(
                9,
                f"TOKEN_BLACKLIST[{name!r}] cannot be imported: {error}.",
                "Use the dotted path of a class or function.",
            )
            continue
        if not all(map(callable, value if isinstance(value, tuple) else [value or type])):
            yield _error(
                17,
                f"TOKEN_BLACKLIST[{name!r}] is neither a class nor a function.",
                "Use the dotted path of a class or function.",
            )


def _session_limit() -> Iterator[CheckMessage]:
    limit = conf.MAX_SESSIONS_PER_USER
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        yield _error(
            14,
            f"TOKEN_BLACKLIST['MAX_SESSIONS_PER_USER'] is {limit!r}.",
            "Use a whole number of at least 1, or None for no limit.",
        )


def _signing() -> Iterator[CheckMessage]:
    if conf.ALGORITHM not in keys.ALGORITHMS:
        yield _error(
            10,
            f"TOKEN_BLACKLIST['ALGORITHM'] is {conf.ALGORITHM!r}.",
            f"Use one of {', '.join(sorted(keys.ALGORITHMS))}.",
        )
        return
    if conf.ALGORITHM in keys.HMAC_MINIMUM_BYTES:
        yield from _secret(keys.HMAC_MINIMUM_BYTES[conf.ALGORITHM])
    else:
        yield from _key_pair()


# No message contains the value: it is the key.
def _secret(minimum: int) -> Iterator[CheckMessage]:
    if not isinstance(conf.SIGNING_KEY, str) or not conf.SIGNING_KEY:
        yield _error(
            11,
            "TOKEN_BLACKLIST['SIGNING_KEY'] is not a string.",
            "Set it to a random string from the environment.",
        )
    elif len(conf.SIGNING_KEY.encode(errors="replace")) < minimum:
        yield _error(
            12,
            f"TOKEN_BLACKLIST['SIGNING_KEY'] is too short for {conf.ALGORITHM}.",
            f"Use at least {minimum} random bytes (RFC 7518 section 3.2).",
        )
    else:
        yield from _probe()


def _probe() -> Iterator[CheckMessage]:
    """Sign and verify a token; a failure here would be a 500 at sign-in."""
    try:
        conf.LEEWAY  # noqa: B018  # raises
    except TypeError:
        return  # an error of its own
    try:
        keys.decode(keys.encode({"exp": 2**40, "probe": True}))
    except UNFIT as error:
        yield _error(
            16,
            f"No token can be signed and verified with TOKEN_BLACKLIST: {error.__cause__ or error}",
            "With HS256, HS384 and HS512, SIGNING_KEY must be a random string; a PEM key needs "
            "another ALGORITHM. ISSUER must be a string, AUDIENCE a string or a list of strings.",
        )


def _key_pair() -> Iterator[CheckMessage]:
    only_verifies = conf.VERIFYING_KEY and not conf.given().get("SIGNING_KEY")
    try:
        if not only_verifies:
            keys.decode(keys.encode({"exp": 2**40, "probe": True}))
        verifying: Any = keys.verifying_key()
        fits = hasattr(verifying, "verify")
    except UNFIT:
        fits = False
    if not fits:
        yield _error(
            13,
            f"TOKEN_BLACKLIST has no key pair for {conf.ALGORITHM}.",
            "Set SIGNING_KEY to a PEM private key for this algorithm. VERIFYING_KEY, its public "
            "key, is only needed by a site that verifies tokens and issues none.",
        )
    elif getattr(verifying, "key_size", 0) < RSA_BITS and conf.ALGORITHM[:2] in {"RS", "PS"}:
        yield _error(
            15,
            f"The key of TOKEN_BLACKLIST has fewer than {RSA_BITS} bits.",
            "Generate a longer key (RFC 7518 section 3.3).",
        )


@register(Tags.security)
def check_rotation(**kwargs: Any) -> list[CheckMessage]:
    """Warn about valid options that weaken the protection against stolen tokens."""
    if conf.LISTS_ENABLED and conf.ROTATE_REFRESH_TOKENS and not conf.BLACKLIST_AFTER_ROTATION:
        return [
            checks.Warning(
                "TOKEN_BLACKLIST['BLACKLIST_AFTER_ROTATION'] is False: previous refresh tokens "
                "stay valid, and theft of a token is not noticed.",
                hint="Set it to True unless a client cannot store its new refresh token.",
                id="token_blacklist.W001",
            )
        ]
    return []
