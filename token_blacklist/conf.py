"""The app's options: `settings.TOKEN_BLACKLIST`, with defaults, read when first asked for.

The keys are Simple JWT's wherever the meaning is the same. `checks.py` looks at each of
them at start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

_APP = __package__  # wherever the folder was copied to

DEFAULTS: dict[str, Any] = {
    # How long each token lives. An access token is short: it is what travels most.
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "SLIDING_TOKEN_LIFETIME": timedelta(minutes=5),
    "SLIDING_TOKEN_REFRESH_LIFETIME": timedelta(days=1),
    # The end of a session however often it is refreshed, from `auth_time`; None: no end.
    "SESSION_LIFETIME": timedelta(days=30),
    # What a refresh does.
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "ROTATION_GRACE_PERIOD": timedelta(seconds=10),
    # A token without a record is refused; False accepts it until it is blacklisted.
    "REQUIRE_OUTSTANDING": True,
    # Signing in. The rule says whether a user may; the hooks hear of it: ON_LOGIN_SUCCESS(user,
    # request) and ON_LOGIN_FAILED(credentials without the password, request).
    "CHECK_USER_IS_ACTIVE": True,
    "USER_AUTHENTICATION_RULE": f"{_APP}.proof.default_user_authentication_rule",
    "UPDATE_LAST_LOGIN": False,
    "ON_LOGIN_SUCCESS": None,
    "ON_LOGIN_FAILED": None,
    # The oldest session is signed out where a sign-in makes one more than this; None: no limit.
    "MAX_SESSIONS_PER_USER": None,
    # When a flush is overdue: the scheduler has been silent for so long, and there is work.
    "FLUSH_OVERDUE_AFTER": timedelta(hours=26),
    # What the admin calls a device: a function from its user agent to words.
    "DEVICE_NAME": f"{_APP}.clients.device_name",
    # Signing. SIGNING_KEY falls back to settings.SECRET_KEY.
    "ALGORITHM": "HS256",
    "SIGNING_KEY": None,
    "VERIFYING_KEY": "",
    "AUDIENCE": None,
    "ISSUER": None,
    "LEEWAY": timedelta(0),
    # Claims.
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
    "SLIDING_TOKEN_REFRESH_EXP_CLAIM": "refresh_exp",
    # USER_CLAIMS(user) returns more claims for each access and sliding token, as it is issued.
    "USER_CLAIMS": None,
    # The request.
    "AUTH_HEADER_TYPES": ("Bearer",),
    "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "AUTH_TOKEN_CLASSES": (f"{_APP}.tokens.AccessToken",),
    "TOKEN_USER_CLASS": f"{_APP}.authentication.TokenUser",
    # The cookie that `transport: "cookie"` sets. SECURE None means: outside DEBUG.
    "REFRESH_COOKIE_NAME": "refresh_token",
    "REFRESH_COOKIE_PATH": "/api/token/",
    "REFRESH_COOKIE_SECURE": None,
    # What the endpoints speak.
    "TOKEN_OBTAIN_SERIALIZER": f"{_APP}.serializers.TokenObtainPairSerializer",
    "TOKEN_REFRESH_SERIALIZER": f"{_APP}.serializers.TokenRefreshSerializer",
    "TOKEN_VERIFY_SERIALIZER": f"{_APP}.serializers.TokenVerifySerializer",
    "TOKEN_BLACKLIST_SERIALIZER": f"{_APP}.serializers.TokenBlacklistSerializer",
    "SLIDING_TOKEN_OBTAIN_SERIALIZER": f"{_APP}.serializers.TokenObtainSlidingSerializer",
    "SLIDING_TOKEN_REFRESH_SERIALIZER": f"{_APP}.serializers.TokenRefreshSlidingSerializer",
}

IMPORT_STRINGS = {
    "USER_AUTHENTICATION_RULE",
    "USER_CLAIMS",
    "ON_LOGIN_SUCCESS",
    "ON_LOGIN_FAILED",
    "DEVICE_NAME",
    "AUTH_TOKEN_CLASSES",
    "TOKEN_USER_CLASS",
    "TOKEN_OBTAIN_SERIALIZER",
    "TOKEN_REFRESH_SERIALIZER",
    "TOKEN_VERIFY_SERIALIZER",
    "TOKEN_BLACKLIST_SERIALIZER",
    "SLIDING_TOKEN_OBTAIN_SERIALIZER",
    "SLIDING_TOKEN_REFRESH_SERIALIZER",
}


class Conf:
    """The options as attributes: `conf.ACCESS_TOKEN_LIFETIME`.

    A value is worked out once and kept on the instance, so that a request pays an attribute
    look-up; a test that overrides a setting empties the instance.
    """

    ACCESS_TOKEN_LIFETIME: timedelta
    REFRESH_TOKEN_LIFETIME: timedelta
    SLIDING_TOKEN_LIFETIME: timedelta
    SLIDING_TOKEN_REFRESH_LIFETIME: timedelta
    SESSION_LIFETIME: timedelta | None
    ROTATE_REFRESH_TOKENS: bool
    BLACKLIST_AFTER_ROTATION: bool
    ROTATION_GRACE_PERIOD: timedelta
    REQUIRE_OUTSTANDING: bool
    CHECK_USER_IS_ACTIVE: bool
    USER_AUTHENTICATION_RULE: Callable[[Any], bool]
    UPDATE_LAST_LOGIN: bool
    ON_LOGIN_SUCCESS: Callable[[Any, Any], None] | None
    ON_LOGIN_FAILED: Callable[[dict[str, Any], Any], None] | None
    MAX_SESSIONS_PER_USER: int | None
    FLUSH_OVERDUE_AFTER: timedelta
    DEVICE_NAME: Callable[[str], str]
    ALGORITHM: str
    SIGNING_KEY: str
    VERIFYING_KEY: str
    AUDIENCE: str | Sequence[str] | None
    ISSUER: str | None
    LEEWAY: timedelta
    USER_ID_FIELD: str
    USER_ID_CLAIM: str
    TOKEN_TYPE_CLAIM: str
    JTI_CLAIM: str
    SLIDING_TOKEN_REFRESH_EXP_CLAIM: str
    USER_CLAIMS: Callable[[Any], dict[str, Any]] | None
    AUTH_HEADER_TYPES: tuple[str, ...]
    AUTH_HEADER_NAME: str
    AUTH_TOKEN_CLASSES: tuple[Any, ...]
    TOKEN_USER_CLASS: Any
    REFRESH_COOKIE_NAME: str
    REFRESH_COOKIE_PATH: str
    REFRESH_COOKIE_SECURE: bool
    TOKEN_OBTAIN_SERIALIZER: Any
    TOKEN_REFRESH_SERIALIZER: Any
    TOKEN_VERIFY_SERIALIZER: Any
    TOKEN_BLACKLIST_SERIALIZER: Any
    SLIDING_TOKEN_OBTAIN_SERIALIZER: Any
    SLIDING_TOKEN_REFRESH_SERIALIZER: Any
    LISTS_ENABLED: bool

    def __getattr__(self, name: str) -> Any:
        """Work out an option on its first use and keep it."""
        if name == "LISTS_ENABLED":
            value: Any = apps.is_installed(_APP)
        elif name in DEFAULTS:
            value = self._read(name)
        else:
            raise AttributeError(f"TOKEN_BLACKLIST has no option {name!r}.")
        setattr(self, name, value)
        return value

    def _read(self, name: str) -> Any:
        value = self.given().get(name, DEFAULTS[name])
        match name:
            case "SIGNING_KEY" if value is None:
                return settings.SECRET_KEY
            case "LEEWAY" if not isinstance(value, timedelta):
                return timedelta(seconds=value or 0)
            case "REFRESH_COOKIE_SECURE" if value is None:
                return not settings.DEBUG
            case "AUTH_HEADER_TYPES" if isinstance(value, str):
                return (value,)
        if name in IMPORT_STRINGS:
            if isinstance(value, list | tuple):
                return tuple(import_string(v) if isinstance(v, str) else v for v in value)
            return import_string(value) if isinstance(value, str) else value
        return value

    def given(self) -> dict[str, Any]:
        """Return what the site's settings say, without the defaults."""
        return getattr(settings, "TOKEN_BLACKLIST", None) or {}

    def has(self, name: str) -> bool:
        """Whether the site sets the option itself."""
        return name in self.given()

    def reload(self) -> None:
        """Forget every value; the next access reads the settings again."""
        vars(self).clear()


conf = Conf()


def _reload_on_override(*, setting: str, **kwargs: Any) -> None:
    if setting in {"TOKEN_BLACKLIST", "SECRET_KEY", "DEBUG", "INSTALLED_APPS"}:
        conf.reload()


setting_changed.connect(_reload_on_override, dispatch_uid="token_blacklist.conf")
