"""django-allauth headless, with its JWT strategy and its list of sessions.

It rotates refresh tokens by default.
"""

# allauth imports it in a view, which fails if two threads do so at the same time.
import cryptography.hazmat.primitives.ciphers  # noqa: F401

from .base import *  # noqa: F403
from .base import INSTALLED_APPS, JSON_ONLY, MIDDLEWARE, SECRET_KEY

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.usersessions",
]
MIDDLEWARE = [
    *MIDDLEWARE,
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = False
HEADLESS_ONLY = True
HEADLESS_TOKEN_STRATEGY = "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy"
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_PRIVATE_KEY = SECRET_KEY
REST_FRAMEWORK = {
    **JSON_ONLY,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "allauth.headless.contrib.rest_framework.authentication.JWTTokenAuthentication",
    ],
}
INCLUDED = {"accounts/": "allauth.urls", "_allauth/": "allauth.headless.urls"}
