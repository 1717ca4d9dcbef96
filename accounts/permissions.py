"""Who may use an endpoint."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class SignupIsOpen(BasePermission):
    """Allows sign-up if ACCOUNTS_ALLOW_SIGNUP is on."""

    message = _("Sign-up is closed.")
    code = "signup_closed"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(settings.ACCOUNTS_ALLOW_SIGNUP)
