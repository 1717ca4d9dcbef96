"""The settings of a site with Simple JWT, or with ADOPTED=yes of the same site with this app."""

import os
from datetime import timedelta

from environ import Env

ADOPTED = os.environ.get("ADOPTED") == "yes"
PACKAGE = "token_blacklist" if ADOPTED else "rest_framework_simplejwt"

SECRET_KEY = "only-for-the-tests-" * 4
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.projects.adoption.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "token_blacklist" if ADOPTED else "rest_framework_simplejwt.token_blacklist",
]
DATABASES = {"default": Env().db_url("SITE_DATABASE_URL", default="sqlite://:memory:")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{PACKAGE}.authentication.JWTAuthentication"],
}
TOKENS = {
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "LEEWAY": 0,
}
if ADOPTED:
    TOKEN_BLACKLIST = TOKENS
else:
    SIMPLE_JWT = TOKENS
