"""A project as `django-admin startproject` makes it, with Simple JWT and its blacklist app.

Rotation and blacklisting are on, lifetimes, keys, hasher and database are those of this project.
"""

from benchmarks.settings import (
    ALLOWED_HOSTS,
    DATABASES,
    PASSWORD_HASHERS,
    SECRET_KEY,
    STORAGES,
    TOKEN_BLACKLIST,
)
from benchmarks.startproject import *  # noqa: F403
from benchmarks.startproject import INSTALLED_APPS

__all__ = ["ALLOWED_HOSTS", "DATABASES", "PASSWORD_HASHERS", "SECRET_KEY", "STORAGES"]

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
]
ROOT_URLCONF = "benchmarks.simple_jwt.urls"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": TOKEN_BLACKLIST["ACCESS_TOKEN_LIFETIME"],
    "REFRESH_TOKEN_LIFETIME": TOKEN_BLACKLIST["REFRESH_TOKEN_LIFETIME"],
    "ALGORITHM": TOKEN_BLACKLIST["ALGORITHM"],
    "SIGNING_KEY": TOKEN_BLACKLIST["SIGNING_KEY"],
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
}
