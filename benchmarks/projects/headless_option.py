"""django-allauth headless that looks the session up at each request."""

from .headless import *  # noqa: F403

HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
