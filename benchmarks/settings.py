"""The project's own settings, but for a password hasher that takes no time.

A real one takes as long as it is told to, and would be all that a sign-in measures.
"""

from config.settings import *  # noqa: F403
from config.settings import STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {  # the admin's pages without a collectstatic first
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
