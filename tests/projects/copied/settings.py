"""A bare project that has copied `token_blacklist/`: Django, DRF, PyJWT and Django's own user.

With USER_MODEL=uuid its users have a UUID as their key, and their e-mail address in the tokens.
With DESCRIBED=yes, drf-spectacular is installed.
"""

import os
import sys

DESCRIBED = os.environ.get("DESCRIBED") == "yes"
for absent in ("accounts", "config", "environ", "unfold"):
    sys.modules[absent] = None  # importing it fails, as where it is not installed
if not DESCRIBED:
    sys.modules["drf_spectacular"] = None

UUID_USER = os.environ.get("USER_MODEL") == "uuid"
SECRET_KEY = "only-for-the-tests-" * 4
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.projects.copied.urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "token_blacklist",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "token_blacklist.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["token_blacklist.authentication.JWTAuthentication"],
}
TOKEN_BLACKLIST = {}

if DESCRIBED:
    INSTALLED_APPS += ["drf_spectacular"]
    REST_FRAMEWORK["DEFAULT_SCHEMA_CLASS"] = "drf_spectacular.openapi.AutoSchema"

if UUID_USER:
    INSTALLED_APPS += ["tests.projects.copied.people"]
    AUTH_USER_MODEL = "people.Person"
    TOKEN_BLACKLIST = {"USER_ID_FIELD": "email"}
