"""REST framework's own tokens. Their view, in authtoken_urls, is the only endpoint."""

from .base import *  # noqa: F403
from .base import INSTALLED_APPS, JSON_ONLY

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework.authtoken"]
REST_FRAMEWORK = {
    **JSON_ONLY,
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
}
INCLUDED = {"api/": "benchmarks.projects.authtoken_urls"}
