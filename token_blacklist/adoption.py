"""System checks for a site that comes from Simple JWT: which parts still use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import URLResolver, get_resolver
from rest_framework.settings import api_settings

_APP = __package__
SIMPLE_JWT = "rest_framework_simplejwt"
NOT_LISTED = "A sign-out does not end the tokens that it issues or accepts"


@register(Tags.compatibility)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse settings that still name Simple JWT."""
    return [*_options(), *_installed(), *_authentication(), *_dj_rest_auth()]


@register(Tags.urls)
def check_views(**kwargs: Any) -> list[CheckMessage]:
    """Refuse views that use Simple JWT, because their tokens are not in the lists."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    found = ((route, next(_left_in(view), None)) for route, view in _views(get_resolver()))
    return [
        _error(
            32,
            f"The view at {route!r} uses {_path(left)}, made for Simple JWT. {NOT_LISTED}.",
            _instead(left),
        )
        for route, left in found
        if left is not None
    ]


def _error(number: int, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"token_blacklist.E{number:03}")


def _options() -> Iterator[CheckMessage]:
    if getattr(settings, "SIMPLE_JWT", None) and not hasattr(settings, "TOKEN_BLACKLIST"):
        yield _error(
            30,
            "SIMPLE_JWT is set and TOKEN_BLACKLIST is not, so that all options have their default.",
            "Rename SIMPLE_JWT to TOKEN_BLACKLIST. The options have the same names.",
        )


def _installed() -> Iterator[CheckMessage]:
    if apps.is_installed(SIMPLE_JWT):
        yield checks.Warning(
            f"INSTALLED_APPS has {SIMPLE_JWT!r}, which only translates Simple JWT's own messages.",
            hint=f"Remove it. {_APP!r} has its own translations.",
            id="token_blacklist.W030",
        )


def _authentication() -> Iterator[CheckMessage]:
    for used in filter(is_of_simple_jwt, api_settings.DEFAULT_AUTHENTICATION_CLASSES):
        yield _error(
            31,
            f"DEFAULT_AUTHENTICATION_CLASSES has {_path(used)} of Simple JWT. {NOT_LISTED}.",
            _instead(used),
        )


def _dj_rest_auth() -> Iterator[CheckMessage]:
    if not uses_dj_rest_auth():
        return
    from dj_rest_auth.app_settings import api_settings as theirs  # noqa: PLC0415  # if installed

    if is_of_simple_jwt(theirs.JWT_TOKEN_CLAIMS_SERIALIZER):
        yield _error(
            33,
            "dj-rest-auth signs in with Simple JWT's tokens, which are not in the lists.",
            "Set REST_AUTH['JWT_TOKEN_CLAIMS_SERIALIZER'] to "
            f"'{_APP}.serializers.TokenObtainPairSerializer' or a subclass.",
        )


def uses_dj_rest_auth() -> bool:
    """Return whether dj-rest-auth is installed and issues tokens."""
    options = getattr(settings, "REST_AUTH", None) or {}
    return apps.is_installed("dj_rest_auth") and bool(options.get("USE_JWT"))


def is_of_simple_jwt(used: Any) -> bool:
    """Return whether a class is Simple JWT's or derived from one."""
    bases = getattr(used, "__mro__", ())
    return any(base.__module__.partition(".")[0] == SIMPLE_JWT for base in bases)


def _views(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, type]]:
    """Return the route and class of each view that has one."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern, route)
        else:
            view = getattr(pattern.callback, "cls", None)  # set by DRF
            if view is not None:
                yield route, view


def _left_in(view: Any) -> Iterator[Any]:
    """Return the classes of Simple JWT that a view uses, and views that import it when called."""
    by_default = api_settings.DEFAULT_AUTHENTICATION_CLASSES  # see E031
    authenticators = getattr(view, "authentication_classes", ())
    own = [used for used in authenticators if used not in by_default]
    yield from filter(is_of_simple_jwt, (view, getattr(view, "serializer_class", None), *own))
    if uses_dj_rest_auth() and _path(view) == "dj_rest_auth.views.LogoutView":
        yield view
    djoser = getattr(settings, "DJOSER", None) or {}
    if view.__module__ == "djoser.social.views" and "SOCIAL_AUTH_TOKEN_STRATEGY" not in djoser:
        yield view


def _instead(used: Any) -> str:
    """Return what a site does about a class of Simple JWT."""
    package = used.__module__.partition(".")[0]
    if package == SIMPLE_JWT:
        return f"Use '{_path(used).replace(SIMPLE_JWT, _APP or '')}'."
    if package == "djoser":
        return "Set DJOSER['SOCIAL_AUTH_TOKEN_STRATEGY'] to a class of yours, see docs/adopting.md."
    if package == "dj_rest_auth":
        if hasattr(used, "authenticate"):
            return f"Use '{_APP}.rest_auth.JWTCookieAuthentication'."
        return f"Use include('{_APP}.rest_auth.urls') in place of include('dj_rest_auth.urls')."
    return f"Derive it from the class of {_APP} with the same name."


def _path(used: Any) -> str:
    return f"{used.__module__}.{used.__qualname__}"
