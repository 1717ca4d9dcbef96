"""The app alone, as docs/lifting.md has it: no log, and no middleware but that of a new project."""

from .base import *  # noqa: F403
from .base import (
    ACCESS_TOKEN_LIFETIME,
    INSTALLED_APPS,
    JSON_ONLY,
    REFRESH_TOKEN_LIFETIME,
    SIGNING_KEY,
)

INSTALLED_APPS = [*INSTALLED_APPS, "token_blacklist"]
REST_FRAMEWORK = {
    **JSON_ONLY,
    "DEFAULT_AUTHENTICATION_CLASSES": ["token_blacklist.authentication.JWTAuthentication"],
}
TOKEN_BLACKLIST = {
    "SIGNING_KEY": SIGNING_KEY,
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
}
INCLUDED = {"api/": "token_blacklist.urls"}
