"""Signing up. The response does not reveal whether the address has an account."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from .mail import write_to
from .models import User


def register(email: str, password: str, name: str = "", *, site: str) -> None:
    """Create an account, or send an e-mail to the owner of the existing one.

    Both cases hash the password and send one INSERT and one e-mail, so that neither the response
    nor its time reveals whether the address has an account. Of two simultaneous sign-ups, the
    unique address lets one succeed. An existing account is not changed.
    """
    try:
        with transaction.atomic():
            User.objects.create_user(email, password, name=name)
    except IntegrityError:
        write_to(email, _("You already have an account"), "already_registered", site)
    else:
        write_to(email, _("Welcome"), "welcome", site)
