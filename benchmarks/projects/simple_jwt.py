"""Simple JWT and its blacklist app, with rotation and blacklisting on."""

from .base import *  # noqa: F403
from .base import (
    ACCESS_TOKEN_LIFETIME,
    INSTALLED_APPS,
    JSON_ONLY,
    REFRESH_TOKEN_LIFETIME,
    SIGNING_KEY,
)

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
]
REST_FRAMEWORK = {
    **JSON_ONLY,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
}
SIMPLE_JWT = {
    "SIGNING_KEY": SIGNING_KEY,
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
}
INCLUDED = {"api/": "benchmarks.projects.simple_jwt_urls"}
