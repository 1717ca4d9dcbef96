"""A new project on the database and the key of the comparison.

A site adds its package's apps, and says in `INCLUDED` where that package's URLs belong.
"""

import os

from environ import Env

from benchmarks.startproject import *  # noqa: F403

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["localhost", "testserver"]
DATABASES = {"default": {**Env().db_url("DATABASE_URL"), "CONN_MAX_AGE": 600}}
ROOT_URLCONF = "benchmarks.compare.peers.urls"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # costs no time
INCLUDED: dict[str, str] = {}
