"""Deleting an account at its owner's request, after some days in which a sign-in keeps it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied

from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions.end import revoke_user

from .models import Activity, User

logger = logging.getLogger(__name__)


def deletion_delay() -> timedelta:
    return timedelta(days=settings.ACCOUNT_DELETION_DAYS)


def request_deletion(user: User) -> datetime:
    """End every session, delete the account now or later, tell the user; return when.

    A sign-in at the same time may keep the account.

    Raises:
        PermissionDenied: it is the last superuser. Nothing was changed.
    """
    email = user.email
    at = timezone.now() + deletion_delay()
    with transaction.atomic():
        if user.is_superuser:
            _check_another_superuser(user)
        if settings.ACCOUNT_DELETION_DAYS:
            User.objects.filter(pk=user.pk).update(delete_at=at)
            revoke_user(user, reason=BlacklistedToken.Reason.LOGOUT_ALL, by=user)
        else:
            user.delete()  # ends the sessions
    facts = {"delete_at": at if settings.ACCOUNT_DELETION_DAYS else None}
    get_adapter().send_notification_mail("account/email/account_deletion", user, facts, email)
    return at


def keep_returned(now: datetime | None = None) -> int:
    """Keep the accounts whose users have signed in since they asked for the deletion.

    Tell them, and return how many.
    """
    kept = 0
    for user in _returned(User.objects.all(), now or timezone.now()):
        unchanged = User.objects.filter(pk=user.pk, delete_at=user.delete_at)
        with transaction.atomic():
            if unchanged.update(delete_at=None):  # of two runs, one sends the e-mail
                kept += 1
                facts = {"user": user, "owner": user}
                get_adapter().send_mail("account/email/account_kept", user.email, facts)
    return kept


def delete_due(now: datetime | None = None) -> int:
    """Delete the accounts whose time has come, except those of users who returned.

    Return how many. Each in a transaction that locks the user first: a sign-in waits, and then
    finds no account.
    """
    now = now or timezone.now()
    keep_returned(now)
    due = User.objects.filter(delete_at__lte=now).values_list("pk", flat=True)
    return sum(_delete(pk, now) for pk in list(due))


def _delete(pk: Any, now: datetime) -> bool:
    with transaction.atomic():
        users = User.objects.filter(pk=pk, delete_at__lte=now)
        user = users.select_for_update().first()
        if user is None or _returned(users, now).exists():
            return False
        user.delete()
    logger.info("an account was deleted at its user's request", extra={"user_id": pk})
    return True


def _returned(users: QuerySet[User], now: datetime) -> QuerySet[User]:
    """Return those of the users who asked for a deletion and signed in after that.

    The request ended all sessions, so a live one is newer.
    """
    asked = ExpressionWrapper(
        F("delete_at") - Value(deletion_delay()), output_field=DateTimeField()
    )
    sessions = OutstandingToken.objects.filter(user=OuterRef("pk"))
    signed_in = Activity.objects.filter(user=OuterRef("pk"), kind=Activity.Kind.SIGN_IN)
    return (
        users.filter(delete_at__isnull=False)
        .alias(asked_at=asked)
        .filter(
            Exists(sessions.live(now))
            | Exists(sessions.filter(created_at__gt=OuterRef("asked_at")))
            | Exists(signed_in.filter(at__gt=OuterRef("asked_at")))
        )
    )


def _check_another_superuser(user: User) -> None:
    """Lock the superusers, so that the last two cannot be deleted at the same time."""
    superusers = User.objects.filter(is_superuser=True, is_active=True, delete_at=None)
    locked = superusers.order_by("pk").select_for_update().values_list("pk", flat=True)
    if not set(locked) - {user.pk}:
        raise PermissionDenied(
            _("You are the only administrator. Make another user a superuser first.")
        )
