"""django-jwt-allauth that looks the session up at each request."""

from .jwt_allauth import *  # noqa: F403

JWT_ALLAUTH_ACCESS_TOKEN_SESSION_CHECK = True
