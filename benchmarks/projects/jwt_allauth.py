"""django-jwt-allauth, with the settings of its `startproject`, and refresh tokens in the body.

Its rotation is always on.
"""

from .base import *  # noqa: F403
from .base import INSTALLED_APPS, JSON_ONLY, MIDDLEWARE

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "jwt_allauth",
    "rest_framework.authtoken",
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = (
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
)
AUTH_USER_MODEL = "jwt_allauth.JAUser"
ACCOUNT_ADAPTER = "jwt_allauth.adapter.JWTAllAuthAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_RATE_LIMITS = False
REST_FRAMEWORK = {
    **JSON_ONLY,
    "DEFAULT_AUTHENTICATION_CLASSES": ("jwt_allauth.authentication.JWTAllAuthAuthentication",),
}
JWT_ALLAUTH_REFRESH_TOKEN_AS_COOKIE = False
INCLUDED = {"api/": "jwt_allauth.urls"}
