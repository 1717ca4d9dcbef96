"""What `django-admin startproject` makes, with Django REST framework: the same for every package.

Database options, token lifetimes, signing key and password hasher are those of this project as
shipped. A site adds its package's apps, and names in `INCLUDED` its package's URLs.
"""

import json
import os
from datetime import timedelta

DEBUG = False
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["localhost", "testserver"]
# Those of config/settings.py: `benchmarks.sites` passes them on.
DATABASES = {"default": json.loads(os.environ["BENCHMARK_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "benchmarks.projects.urls"
STATIC_URL = "static/"
USE_TZ = True
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
# A real one takes as long as it is told to, and would be all that a sign-in measures.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INCLUDED: dict[str, str] = {}

SIGNING_KEY = os.environ["JWT_SIGNING_KEY"]
ACCESS_TOKEN_LIFETIME = timedelta(seconds=int(os.environ["ACCESS_TOKEN_SECONDS"]))
REFRESH_TOKEN_LIFETIME = timedelta(days=1)

JSON_ONLY = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
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
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
