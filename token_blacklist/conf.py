"""The options in `settings.TOKEN_BLACKLIST`: default, type, check and meaning of each.

The names are Simple JWT's wherever the meaning is the same. `checks.py` applies the checks, and
docs/settings.md repeats the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

_APP = __package__  # the folder can be copied into another package
T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """A kind of value: its check, and the hint of the system check for an invalid value."""

    hint: str
    accepts: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value
    is_secret: bool = False  # no message shows the value


def text(pattern: str, hint: str, **more: Any) -> Kind:
    """Return a kind for printable strings that match the whole regular expression."""
    find = re.compile(pattern, re.ASCII).fullmatch
    return Kind(
        hint,
        lambda value: isinstance(value, str) and value.isprintable() and find(value) is not None,
        **more,
    )


def _import(value: Any) -> Any:
    return import_string(value) if isinstance(value, str) else value


def _import_all(value: Any) -> tuple[Any, ...]:
    return tuple(map(_import, value if isinstance(value, list | tuple) else [value]))


def _class_with(attribute: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, type) and hasattr(value, attribute)


def _are_token_classes(value: tuple[Any, ...]) -> bool:
    return value != () and all(map(_class_with("token_type"), value))


def _duration(least: timedelta, hint: str) -> Kind:
    """Return a kind for timedeltas of at least `least` that can be added to a date."""
    return Kind(
        f"Use a datetime.timedelta of {hint}, and at most {LONGEST.days:,} days.",
        lambda value: isinstance(value, timedelta) and least <= value <= LONGEST,
    )


def list_of(item: Kind) -> Callable[[Any], bool]:
    """Return a check for a non-empty list or tuple of items of that kind."""
    return lambda value: (
        isinstance(value, list | tuple) and len(value) > 0 and all(map(item.accepts, value))
    )


LONGEST = timedelta(days=365_000)  # a date cannot be later than the year 9999
LIFETIME = _duration(timedelta(seconds=1), "at least one second")
DURATION = _duration(timedelta(0), "zero or more")
LIFETIME_OR_NONE = replace(LIFETIME, accepts=lambda value: value is None or LIFETIME.accepts(value))
FLAG = Kind("Use True or False.", lambda value: isinstance(value, bool))
LIMIT = Kind(
    "Use a whole number of at least 1, or None for no limit.",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
)
NAME = text(".+", "Use a string that is not empty.")
CLAIM = text(".+", "Use the name of a claim. A token needs an id and a type.")
AUDIENCES = Kind(
    "Use a string that is not empty, or a list of such strings.",
    lambda value: NAME.accepts(value) or list_of(NAME)(value),
)
PATH = Kind("Use the path of a file.", lambda value: bool(value) and isinstance(value, str | Path))
ADDRESS = text(r"https?://\S+", "Use a URL that begins with https://.")
SCHEME = text(r"[!-~]+", "Use names of schemes without spaces, such as ('Bearer',).")
SCHEMES = replace(SCHEME, accepts=list_of(SCHEME))
HEADER = text("[A-Z][A-Z0-9_]*", "Use a key of request.META, such as 'HTTP_X_AUTHORIZATION'.")
COOKIE = text(r"[\w!#$%&'*+.^`|~-]+", "Use letters, digits, '-' and '_' (RFC 6265 section 4.1.1).")
COOKIE_PATH = text(r"/[^;\s]*", "Use a path that begins with a slash.")
IMPORTED = Kind("Use the dotted path of a class or function.", callable, _import)
TOKEN_CLASSES = Kind("Use the dotted paths of token classes.", _are_token_classes, _import_all)
SERIALIZER = Kind("Use the dotted path of a serializer.", _class_with("is_valid"), _import)
KEY_SET = Kind(
    "Use what `manage.py rotatekeys --print` prints.",
    lambda value: isinstance(value, str | bytes),
    is_secret=True,
)
KEY = Kind("", lambda value: True)  # `checks.py` signs and verifies a token with all of them


class Option(Generic[T]):
    """An option as an attribute of `conf`, read from the settings once and then cached.

    `read` converts the value from the settings. The default is always valid.
    """

    def __init__(
        self, default: T, kind: Kind, meaning: str, read: Callable[[Any], Any] | None = None
    ) -> None:
        self.default, self.kind, self.meaning = default, kind, meaning
        self.read = read or kind.read

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, conf: None, owner: type) -> Option[T]: ...
    @overload
    def __get__(self, conf: Conf, owner: type) -> T: ...
    def __get__(self, conf: Conf | None, owner: type) -> Any:
        if conf is None:
            return self
        value = self.value_in(conf.user_settings)
        # An instance attribute hides this descriptor, so that later reads are one look-up.
        vars(conf)[self.name] = value
        return value

    def value_in(self, given: dict[str, Any]) -> Any:
        """Return the value of the option in these settings."""
        return self.read(given.get(self.name, self.default))

    def accepts(self, value: Any) -> bool:
        return value == self.default or self.kind.accepts(value)


def imported(default: str | None, meaning: str) -> Option[Any]:
    """Return an option whose value is a class or function, or the dotted path of one."""
    return Option(default, IMPORTED, meaning)


def serializer(view: str) -> Option[Any]:
    """Return the option for the serializer of a view."""
    path, meaning = f"{_APP}.serializers.{view}Serializer", f"the serializer of `{view}View`"
    return Option(path, SERIALIZER, meaning)


class Conf:
    """The options as attributes, such as `conf.ACCESS_TOKEN_LIFETIME`.

    A subclass adds options, as services/options.py does.
    """

    def __init__(self) -> None:
        setting_changed.connect(self._reload_on_override)

    def __init_subclass__(cls) -> None:
        OPTIONS.update(_options_of(cls))

    ACCESS_TOKEN_LIFETIME = Option(
        timedelta(minutes=5), LIFETIME, "lifetime of an access token; signing out ends it earlier"
    )
    REFRESH_TOKEN_LIFETIME = Option(
        timedelta(days=1), LIFETIME, "a session expires when it is not refreshed for this long"
    )
    SLIDING_TOKEN_LIFETIME = Option(
        timedelta(minutes=5), LIFETIME, "how long a sliding token authenticates"
    )
    SLIDING_TOKEN_REFRESH_LIFETIME = Option(
        timedelta(days=1), LIFETIME, "how long a sliding token can be refreshed"
    )
    SESSION_LIFETIME: Option[timedelta | None] = Option(
        timedelta(days=30),
        LIFETIME_OR_NONE,
        "a session expires this long after sign-in in any case; `None` for no limit",
    )
    SHORT_SESSION_LIFETIME = Option(
        timedelta(hours=12),
        LIFETIME,
        "a session that the user does not want to be remembered expires this long after sign-in in "
        "any case",
    )
    ROTATE_REFRESH_TOKENS = Option(
        True, FLAG, "a refresh returns a new refresh token; `False`: only an access token"
    )
    BLACKLIST_AFTER_ROTATION = Option(
        True, FLAG, "the previous refresh token is refused, and its reuse revokes the session"
    )
    ROTATION_GRACE_PERIOD = Option(
        timedelta(seconds=10),
        DURATION,
        "how long a refresh repeated by the same client returns the same response; 0 turns it off",
    )
    REQUIRE_OUTSTANDING = Option(
        True,
        FLAG,
        "refuse tokens without a record; `False` accepts them until they are blacklisted, "
        "for sites that used stateless tokens",
    )
    CHECK_USER_IS_ACTIVE = Option(True, FLAG, "refuse users with `is_active=False`")
    USER_AUTHENTICATION_RULE = imported(
        f"{_APP}.authentication.default_user_authentication_rule",
        "a function `user -> bool`: whether the user may sign in and use tokens; called at each "
        "use of a token, but not for inactive or deleted users. Your own costs one more SELECT per "
        "refresh",
    )
    UPDATE_LAST_LOGIN = Option(
        False, FLAG, "update `last_login` at each sign-in, with one more statement"
    )
    ON_LOGIN_SUCCESS = imported(None, "a function called with the user and the request")
    ON_LOGIN_FAILED = imported(
        None, "a function called with the credentials, without the password, and the request"
    )
    MAX_SESSIONS_PER_USER: Option[int | None] = Option(
        None, LIMIT, "a sign-in beyond this number ends the user's oldest session"
    )
    FLUSH_OVERDUE_AFTER = Option(
        timedelta(hours=26),
        LIFETIME,
        "when the admin and `/health/ready/` report the flush as overdue",
    )
    DEVICE_NAME = imported(
        f"{_APP}.clients.default_device_name",
        "a function that turns a user agent into the name of a device",
    )
    ALGORITHM = Option("HS256", KEY, "HS, RS, PS or ES with 256, 384 or 512, or `EdDSA`")
    SIGNING_KEY: Option[Any] = Option(
        None,
        KEY,
        "a secret, or a private key in PEM format; `None` uses `SECRET_KEY`",
        read=lambda key: settings.SECRET_KEY if key is None else key,
    )
    VERIFYING_KEY = Option("", KEY, "the public key, for asymmetric algorithms")
    KEYS_FILE: Option[str | None] = Option(
        None,
        PATH,
        "the file of the key set, in place of `SIGNING_KEY` and `VERIFYING_KEY`; `rotatekeys` "
        "writes it",
    )
    KEYS: Option[str | None] = Option(
        None,
        KEY_SET,
        "the key set as text, for servers without a disk; `rotatekeys --print` prints the next one",
    )
    JWKS_URL: Option[str | None] = Option(
        None,
        ADDRESS,
        "for a site that verifies the tokens of another site and issues none: the URL of that "
        "site's public keys, in place of `VERIFYING_KEY`",
    )
    AUDIENCE: Option[str | Sequence[str] | None] = Option(
        None, AUDIENCES, "written to the `aud` claim and required in it"
    )
    ISSUER: Option[str | None] = Option(None, NAME, "written to the `iss` claim and required in it")
    LEEWAY: Option[timedelta] = Option(
        timedelta(0),
        DURATION,
        "how long a token is accepted after its expiry; a number means seconds. `iat` and "
        "`nbf` may be 30 seconds in the future, or `LEEWAY` if that is more",
        read=lambda value: value if isinstance(value, timedelta) else timedelta(seconds=value or 0),
    )
    USER_ID_FIELD = Option(
        "id",
        NAME,
        'the user field that identifies the user in a token, or `"pk"`; its value must never '
        "change",
    )
    USER_ID_CLAIM = Option("user_id", CLAIM, "the claim for it")
    TOKEN_TYPE_CLAIM = Option("token_type", CLAIM, "the claim for the type of the token")
    JTI_CLAIM = Option("jti", CLAIM, "the claim for the id of the token")
    SLIDING_TOKEN_REFRESH_EXP_CLAIM = Option(
        "refresh_exp", CLAIM, "the claim for the end of `SLIDING_TOKEN_REFRESH_LIFETIME`"
    )
    USER_CLAIMS = imported(
        None,
        "a function `user -> dict` with more claims for each access and sliding token; "
        "one more SELECT per refresh",
    )
    SESSION_CLAIMS = imported(
        None,
        "a function `(user, request) -> dict` with more claims for a new session, such as `amr`; "
        "all of its tokens have them",
    )
    AUTH_HEADER_TYPES: Option[Any] = Option(
        ("Bearer",),
        SCHEMES,
        "the schemes accepted in the header before the token",
        read=lambda value: (value,) if isinstance(value, str) else value,
    )
    AUTH_HEADER_NAME = Option(
        "HTTP_AUTHORIZATION", HEADER, "the header, as a key of `request.META`"
    )
    AUTH_TOKEN_CLASSES: Option[Any] = Option(
        (f"{_APP}.tokens.AccessToken",),
        TOKEN_CLASSES,
        "token classes that authenticate; add `SlidingToken` if you use sliding tokens",
    )
    TOKEN_USER_CLASS = imported(
        f"{_APP}.authentication.TokenUser", "the user class of `JWTStatelessUserAuthentication`"
    )
    REFRESH_COOKIE_NAME = Option("refresh_token", COOKIE, 'the cookie of `"transport": "cookie"`')
    REFRESH_COOKIE_PATH = Option(
        "/api/token/",
        COOKIE_PATH,
        "the path of the cookie, which must be that of the token endpoints",
    )
    REFRESH_COOKIE_SECURE: Option[Any] = Option(
        None,
        FLAG,
        "the `Secure` attribute; `None`: set it unless `DEBUG` is on",
        read=lambda value: not settings.DEBUG if value is None else value,
    )
    PAGES_SET_REFRESH_COOKIE = Option(
        False,
        FLAG,
        "a sign-in on a page sets the refresh cookie of the same session; needs "
        f"`{_APP}.middleware.AuthenticationMiddleware`. A refresh with neither a token nor the "
        "cookie is then 401 `not_signed_in`, not 400",
    )
    TOKEN_OBTAIN_SERIALIZER = serializer("TokenObtainPair")
    TOKEN_REFRESH_SERIALIZER = serializer("TokenRefresh")
    TOKEN_VERIFY_SERIALIZER = serializer("TokenVerify")
    TOKEN_BLACKLIST_SERIALIZER = serializer("TokenBlacklist")
    SLIDING_TOKEN_OBTAIN_SERIALIZER = serializer("TokenObtainSliding")
    SLIDING_TOKEN_REFRESH_SERIALIZER = serializer("TokenRefreshSliding")

    @cached_property
    def LISTS_ENABLED(self) -> bool:  # noqa: N802  # like the options
        """Whether the app is in INSTALLED_APPS, so that the token lists have tables."""
        return apps.is_installed(_APP)

    def longest_lifetime(self, *, remember: bool) -> timedelta | None:
        """Return the maximum time from sign-in to expiry of a session, or None for no limit."""
        limits = (self.SESSION_LIFETIME, None if remember else self.SHORT_SESSION_LIFETIME)
        return min(filter(None, limits), default=None)

    def claim_names(self) -> dict[str, str]:
        """Return the claim names that a site can choose, by option."""
        return {name: getattr(self, name) for name, each in OPTIONS.items() if each.kind is CLAIM}

    @property
    def user_settings(self) -> dict[str, Any]:
        """The options that the site sets."""
        given: dict[str, Any] | None = getattr(settings, "TOKEN_BLACKLIST", None)
        return {} if given is None else given

    def reload(self) -> None:
        """Clear the cached values; the next access reads the settings again."""
        vars(self).clear()

    def _reload_on_override(self, *, setting: str, **kwargs: Any) -> None:
        if setting in {"TOKEN_BLACKLIST", "SECRET_KEY", "DEBUG", "INSTALLED_APPS"}:
            self.reload()


def _options_of(owner: type[Conf]) -> dict[str, Option[Any]]:
    return {name: value for name, value in vars(owner).items() if isinstance(value, Option)}


OPTIONS = _options_of(Conf)
conf = Conf()
