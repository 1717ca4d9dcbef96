"""The project's own settings, but for the password hasher and the view that all sites have."""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # see base.py
ROOT_URLCONF = "benchmarks.projects.shipped_urls"
STORAGES = {  # the admin's pages without a collectstatic first
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if level := os.environ.get("BENCHMARK_SYNCHRONOUS"):
    OPTIONS = DATABASES["default"]["OPTIONS"]
    OPTIONS["init_command"] = OPTIONS["init_command"].replace("FULL", level)
