"""drf-sessions, with as many sessions for a user as the others allow, and no more written."""

from .base import *  # noqa: F403
from .base import (
    ACCESS_TOKEN_LIFETIME,
    INSTALLED_APPS,
    JSON_ONLY,
    REFRESH_TOKEN_LIFETIME,
    SIGNING_KEY,
)

INSTALLED_APPS = [*INSTALLED_APPS, "drf_sessions"]
REST_FRAMEWORK = {
    **JSON_ONLY,
    "DEFAULT_AUTHENTICATION_CLASSES": ["drf_sessions.auth.BearerAuthentication"],
}
DRF_SESSIONS = {
    "JWT_SIGNING_KEY": SIGNING_KEY,
    "ACCESS_TOKEN_TTL": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_TTL": REFRESH_TOKEN_LIFETIME,
    "MAX_SESSIONS_PER_USER": None,  # its default, 10, costs a sign-in one more statement
    "UPDATE_LAST_LOGIN": False,  # its default costs a sign-in one more
}
INCLUDED = {"api/": "benchmarks.projects.drf_sessions_urls"}
