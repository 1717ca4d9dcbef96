"""knox, with its defaults. Its sign-in takes HTTP basic authentication."""

from .base import *  # noqa: F403
from .base import INSTALLED_APPS, JSON_ONLY

INSTALLED_APPS = [*INSTALLED_APPS, "knox"]
REST_FRAMEWORK = {
    **JSON_ONLY,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.BasicAuthentication",
        "knox.auth.TokenAuthentication",
    ],
}
INCLUDED = {"api/": "knox.urls"}
