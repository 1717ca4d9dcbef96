"""System checks for TOKEN_BLACKLIST."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections, router
from django.db.migrations.recorder import MigrationRecorder
from django.urls import get_script_prefix
from rest_framework.schemas.generators import EndpointEnumerator

from . import keys
from .conf import COOKIE_PATH, OPTIONS, Option, conf
from .exceptions import TokenError, Unavailable
from .keys.key import ALGORITHMS, HMAC_MINIMUM_BYTES, RSA_ALGORITHMS, RSA_MINIMUM_BITS
from .keys.key_set import KeySetError, current_set, name_of_set, stored_set
from .models import OutstandingToken
from .tokens import OWN_CLAIMS

OTHERS = 0o077  # permission bits of a file for users other than its owner
BY_SESSIONS = (
    "Remove it. A new password ends sessions without a claim: add "
    f"`{__package__}.password_validation.RevokeSessionsValidator` to AUTH_PASSWORD_VALIDATORS."
)
# Options of Simple JWT that this app does not have: what to do instead.
REPLACEMENTS = {
    "CHECK_REVOKE_TOKEN": BY_SESSIONS,
    "REVOKE_TOKEN_CLAIM": BY_SESSIONS,
    "JSON_ENCODER": "Remove it. Write claims as text or numbers; a datetime becomes a number.",
    "JWK_URL": "Remove it. Set VERIFYING_KEY to the public key.",
    # Of an earlier version.
    "KEYS_DIR": "Set KEYS_FILE, and run `manage.py rotatekeys --import <folder>` once.",
}
# Without a connection, which Django needs to tell MariaDB from MySQL.
NAMES = {"mysql": "MySQL or MariaDB", "oracle": "Oracle", "microsoft": "SQL Server"}
UNFIT = (TokenError, jwt.PyJWTError, ValueError, TypeError)


@register(Tags.security)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check every option of TOKEN_BLACKLIST."""
    given = conf.user_settings
    if not _are_options(given):
        return [_error(1, "TOKEN_BLACKLIST is not a dict.", "Make it a dict of options.")]
    invalid = list(_values())
    others = () if invalid else (*_claim_names(), *_user_id_field(), *_signing())
    return [*_unknown_names(given), *invalid, *others]


def _are_options(given: Any) -> bool:
    return isinstance(given, dict)


def _error(number: int, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"token_blacklist.E{number:03}")


def _unknown_names(given: dict[str, Any]) -> Iterator[CheckMessage]:
    for name in sorted(given.keys() - OPTIONS.keys()):
        hint = REPLACEMENTS.get(
            name, "Correct the name or remove it. token_blacklist/conf.py lists the options."
        )
        yield _error(2, f"TOKEN_BLACKLIST has no option {name!r}.", hint)


def _values() -> Iterator[CheckMessage]:
    for name, option in OPTIONS.items():
        try:
            value = option.value_in(conf.user_settings)
        except ImportError as error:
            yield _invalid(option, f"it cannot be imported: {error}")
        except (TypeError, ValueError, OverflowError):
            yield _invalid(option, repr(conf.user_settings[name]))
        else:
            without_lists = name == "JTI_CLAIM" and value is None and not conf.LISTS_ENABLED
            if not (option.accepts(value) or without_lists):
                yield _invalid(option, repr(value))


def _invalid(option: Option[Any], problem: str) -> CheckMessage:
    shown = "" if option.kind.is_secret else f": {problem}"
    message = f"Invalid value of TOKEN_BLACKLIST[{option.name!r}]{shown}."
    return _error(3, message, option.kind.hint)


def _claim_names() -> Iterator[CheckMessage]:
    taken = dict.fromkeys(OWN_CLAIMS, "a claim that the app sets itself")
    for name, claim in conf.claim_names().items():
        if claim in taken:
            message = f"TOKEN_BLACKLIST[{name!r}] is {claim!r}, {taken[claim]}."
            yield _error(4, message, "Give each claim a name of its own.")
        taken[claim] = f"which is also TOKEN_BLACKLIST[{name!r}]"


def _user_id_field() -> Iterator[CheckMessage]:
    name = conf.USER_ID_FIELD
    fields = [field.name for field in get_user_model()._meta.fields if field.unique]
    if name not in {"pk", *fields}:
        yield _error(
            7,
            f"TOKEN_BLACKLIST['USER_ID_FIELD'] is {name!r}, no unique field of the user model.",
            f"A token must identify one user. Use one of {', '.join(fields)}.",
        )


def _key_set() -> Iterator[CheckMessage]:
    name = name_of_set()
    try:
        key_set = stored_set()
    except KeySetError as error:
        yield _error(
            18,
            f"{error}.",
            "Restore the text that `manage.py rotatekeys` wrote.",
        )
        return
    if not key_set.keys:
        yield _error(
            19,
            f"{name} has no key.",
            "Run `manage.py rotatekeys` as the user that the server runs as.",
        )
    elif key_set.signers and key_set.find_signer(time.time()) is None:
        yield _error(
            22,
            f"No key of {name} may sign any more.",
            "The next key is missing. Run `manage.py rotatekeys`.",
        )
    if conf.KEYS_FILE and key_set.keys and Path(conf.KEYS_FILE).stat().st_mode & OTHERS:
        yield checks.Warning(
            f"Other users of the machine can read {name}, which has the private keys.",
            hint=f"Run: chmod go= {name}",
            id="token_blacklist.W002",
        )


def _signing() -> Iterator[CheckMessage]:
    if conf.JWKS_URL is not None:
        return
    if conf.KEYS_FILE is not None and conf.KEYS is not None:
        yield _error(25, "TOKEN_BLACKLIST has KEYS_FILE and KEYS.", "Remove one of them.")
        return
    if conf.KEYS_FILE is not None or conf.KEYS is not None:
        yield from _key_set()
        return
    if conf.ALGORITHM not in ALGORITHMS:
        yield _error(
            10,
            f"TOKEN_BLACKLIST['ALGORITHM'] is {conf.ALGORITHM!r}.",
            f"Use one of {', '.join(sorted(ALGORITHMS))}.",
        )
        return
    if conf.ALGORITHM in HMAC_MINIMUM_BYTES:
        yield from _secret(HMAC_MINIMUM_BYTES[conf.ALGORITHM])
    else:
        yield from _key_pair()


# No message contains the value, because it is the key.
def _secret(minimum: int) -> Iterator[CheckMessage]:
    key = conf.SIGNING_KEY
    if not isinstance(key, str | bytes) or not key:
        yield _error(
            11,
            "TOKEN_BLACKLIST['SIGNING_KEY'] is neither a string nor bytes.",
            "Set it to a random string from the environment.",
        )
    elif len(key.encode(errors="replace") if isinstance(key, str) else key) < minimum:
        yield _error(
            12,
            f"TOKEN_BLACKLIST['SIGNING_KEY'] is too short for {conf.ALGORITHM}.",
            f"Use at least {minimum} random bytes (RFC 7518 section 3.2).",
        )
    else:
        yield from _probe()


def _probe() -> Iterator[CheckMessage]:
    """Sign and verify a token. A failure would otherwise be a 500 at sign-in."""
    try:
        keys.decode(keys.encode({"exp": 2**40, "probe": True}))
    except UNFIT as error:
        yield _error(
            16,
            f"No token can be signed and verified with TOKEN_BLACKLIST: {error.__cause__ or error}",
            "With HS256, HS384 and HS512, SIGNING_KEY must be a random string; a PEM key needs "
            "another ALGORITHM.",
        )


def _key_pair() -> Iterator[CheckMessage]:
    only_verifies = conf.VERIFYING_KEY and not conf.user_settings.get("SIGNING_KEY")
    try:
        (key,) = current_set().keys
        if not only_verifies:
            keys.decode(keys.encode({"exp": 2**40, "probe": True}))
    except (*UNFIT, Unavailable):
        yield _error(
            13,
            f"TOKEN_BLACKLIST has no key pair for {conf.ALGORITHM}.",
            "Set SIGNING_KEY to a PEM private key for this algorithm. VERIFYING_KEY, its public "
            "key, is only needed by a site that verifies tokens and issues none.",
        )
        return
    if conf.ALGORITHM in RSA_ALGORITHMS and key.verifying.key_size < RSA_MINIMUM_BITS:
        yield _error(
            15,
            f"The key of TOKEN_BLACKLIST has fewer than {RSA_MINIMUM_BITS} bits.",
            "Generate a longer key (RFC 7518 section 3.3).",
        )


@register(Tags.security)
def check_rotation(**kwargs: Any) -> list[CheckMessage]:
    """Warn about valid options that weaken the protection against stolen tokens."""
    if not _are_options(conf.user_settings):
        return []
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


@register(Tags.urls)
def check_cookie_path(**kwargs: Any) -> list[CheckMessage]:
    """Warn if a browser would not send the refresh cookie to the endpoints that read it."""
    if not (getattr(settings, "ROOT_URLCONF", None) and _are_options(conf.user_settings)):
        return []
    cookie_path: Any = conf.REFRESH_COOKIE_PATH
    if not COOKIE_PATH.accepts(cookie_path):
        return []
    root = get_script_prefix().rstrip("/")
    readers = sorted({root + path for path, *_rest in CookieReaders().get_api_endpoints()})
    missed = [path for path in readers if not _covers(cookie_path, path)]
    if not missed:
        return []
    return [
        checks.Warning(
            f"TOKEN_BLACKLIST['REFRESH_COOKIE_PATH'] is {cookie_path!r}, and browsers do not send "
            f"the refresh cookie to {', '.join(missed)}.",
            hint="Set it to the path that these begin with. If no client asks for the cookie, add "
            "token_blacklist.W003 to SILENCED_SYSTEM_CHECKS.",
            id="token_blacklist.W003",
        )
    ]


class CookieReaders(EndpointEnumerator):
    """Lists the endpoints that read the refresh cookie, each as path, method and view."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        view = getattr(callback, "cls", None)
        reads: bool = isinstance(view, type) and getattr(view, "reads_cookie", False)
        return reads

    def get_allowed_methods(self, callback: Any) -> list[str]:
        return ["POST"]


def _covers(cookie_path: str, path: str) -> bool:
    """Return whether a browser sends a cookie with that path (RFC 6265 section 5.1.4).

    A parameter of the path has many values, so the cookie's path must not end with one. Before
    other segments it may, for a site with one version of its API.
    """
    wanted, found = cookie_path.rstrip("/").split("/"), path.split("/")
    is_below = len(found) > len(wanted) or not cookie_path.endswith("/")
    pairs = list(zip(wanted, found, strict=False))
    is_same = all(ours == theirs or "{" in theirs for ours, theirs in pairs)
    return is_below and len(pairs) == len(wanted) and is_same and "{" not in pairs[-1][1]


@register(Tags.compatibility)
def check_database(**kwargs: Any) -> list[CheckMessage]:
    """Refuse databases other than PostgreSQL and SQLite, and one without the users."""
    if not conf.LISTS_ENABLED:
        return []
    using = router.db_for_write(OutstandingToken)
    of_users = router.db_for_write(get_user_model())
    if using != of_users:
        return [
            _error(
                34,
                f"The sessions are in the database {using!r}, and the users in {of_users!r}.",
                "Let your router send both to one database. Statements join their tables.",
            )
        ]
    connection = connections[using]
    if connection.vendor in {"postgresql", "sqlite"}:
        return []
    name = NAMES.get(connection.vendor, connection.vendor)
    return [
        _error(
            23,
            f"The database of token_blacklist is {name}.",
            "Use PostgreSQL or SQLite, which are supported, for the sessions and the users.",
        )
    ]


@register(Tags.database)
def check_history(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a database with only some of the squashed migrations. Django would skip the rest."""
    squashed = import_module(".migrations.0002_sessions", __package__).Migration
    found = []
    for alias in databases or ():
        applied = MigrationRecorder(connections[alias]).applied_migrations()
        missing = [name for app, name in squashed.replaces if (app, name) not in applied]
        if 0 < len(missing) < len(squashed.replaces):
            found.append(
                _error(
                    24,
                    f"The migration {missing[0]} of token_blacklist is missing in {alias!r}.",
                    "Run `migrate` with version 1.0.0, and then with this one.",
                )
            )
    return found
