"""The project's own settings, but for a password hasher that takes no time.

A real one takes as long as it is told to, and would be all that a sign-in measures.
"""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {  # the admin's pages without a collectstatic first
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if level := os.environ.get("BENCHMARK_SYNCHRONOUS"):
    OPTIONS = DATABASES["default"]["OPTIONS"]
    OPTIONS["init_command"] = OPTIONS["init_command"].replace("FULL", level)
