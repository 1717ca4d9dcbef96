"""Signing up. The response does not reveal whether the address has an account."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .mail import write_to
from .models import User


class SignupIsOpen(BasePermission):
    """Allows sign-up if ACCOUNTS_ALLOW_SIGNUP is on."""

    message = _("Sign-up is closed.")
    code = "signup_closed"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(settings.ACCOUNTS_ALLOW_SIGNUP)


def register(email: str, password: str, name: str = "", *, site: str) -> None:
    """Create an account, or send an e-mail to the owner of the existing one.

    Both ways hash the password, send one INSERT and one e-mail, so that neither the answer
    nor its time tells whether the address was known; and of two sign-ups at once, the
    database lets one through. An account that is there is not touched.
    """
    try:
        with transaction.atomic():
            User.objects.create_user(email, password, name=name)
    except IntegrityError:
        write_to(email, _("You already have an account"), "already_registered", site)
    else:
        write_to(email, _("Welcome"), "welcome", site)
