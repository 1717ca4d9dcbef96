"""The project's settings for the tests, independent of the developer's .env."""

import os
import tempfile
from pathlib import Path

scratch = tempfile.TemporaryDirectory(prefix="tests-")  # removed at the end of the process
SCRATCH = Path(scratch.name)

os.environ |= {
    "ENV_FILE": "",
    "DEBUG": "True",
    "SECRET_KEY": "only-for-the-tests-" * 4,
    "JWT_SIGNING_KEY": "signs-the-tokens-of-the-tests-" * 3,
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "EMAILS_SENT_BY": "scheduler",  # no thread beside the tests
}
os.environ.setdefault("DATABASE_URL", f"sqlite:///{SCRATCH / 'unused.sqlite3'}")

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file and not memory, so that threads have connections of their own, as in production.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}
    # Commit as in production, but without waiting for the disk: no test cuts the power.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600  # as outside of DEBUG

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ACCOUNT_RATE_LIMITS = False  # tests of the limits turn them on
ACCOUNT_SIGNUP_ENABLED = True  # tests of a closed sign-up close it
INSTALLED_APPS = [*INSTALLED_APPS, "allauth.socialaccount.providers.dummy"]  # needs no other site
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
WHITENOISE_AUTOREFRESH = True  # serve the sources, without collectstatic
