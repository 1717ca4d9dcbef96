"""A project as `django-admin startproject` makes it, with Simple JWT and its blacklist app.

Rotation and blacklisting are on, lifetimes, keys, hasher and database are those of this project.
"""

from benchmarks.settings import (
    ALLOWED_HOSTS,
    DATABASES,
    PASSWORD_HASHERS,
    SECRET_KEY,
    STORAGES,
    TEMPLATES,
    TOKEN_BLACKLIST,
)

DEBUG = False
__all__ = ["ALLOWED_HOSTS", "DATABASES", "PASSWORD_HASHERS", "SECRET_KEY", "STORAGES"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                name
                for name in TEMPLATES[0]["OPTIONS"]["context_processors"]
                if name.startswith("django.")
            ]
        },
    }
]
ROOT_URLCONF = "benchmarks.simple_jwt.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_TZ = True

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
