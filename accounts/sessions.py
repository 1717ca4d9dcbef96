"""Listing and revoking the sessions of a user."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Max
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from token_blacklist.models import BlacklistedToken, OutstandingToken, OutstandingTokenQuerySet
from token_blacklist.sessions.end import revoke_session, revoke_user
from token_blacklist.tokens import SESSION_CLAIM, BlacklistMixin, Token

from .models import User

MAX_LISTED_SESSIONS = 100


def live_sessions(user: User) -> OutstandingTokenQuerySet:
    """Return the user's live sessions, annotated with `last_active`, the latest first."""
    return (
        OutstandingToken.objects.filter(user=user)
        .live()
        .annotate(last_active=Coalesce("refreshed_at", "created_at"))
        .order_by(F("last_active").desc(nulls_last=True), "-pk")
    )


def last_active(users: Iterable[User]) -> dict[Any, datetime]:
    """Return when each user, by key, was last active in a session that is still stored."""
    latest = Max(Coalesce("refreshed_at", "created_at"))
    found = OutstandingToken.objects.filter(user__in=[user.pk for user in users]).order_by()
    return dict(found.values("user").annotate(at=latest).values_list("user", "at"))


def session_of(token: object) -> str | None:
    """Return the session id of a request's token, or None."""
    if isinstance(token, BlacklistMixin):
        return token.session_id
    return token.get(SESSION_CLAIM) if isinstance(token, Token) else None


def end_session(user: User, session_id: str) -> None:
    """Revoke one session of the user. An expired or revoked session stays as it is.

    Raises:
        NotFound: there is no such session, or it belongs to another user.
    """
    own = OutstandingToken.objects.filter(user=user).select_related("blacklistedtoken")
    # An id is printable. A database may raise an error for other text, such as NUL.
    record = own.filter(session_id=session_id).first() if session_id.isprintable() else None
    if record is None:
        raise NotFound(_("You have no session with this id."))
    if not record.is_blacklisted:
        revoke_session(record, reason=BlacklistedToken.Reason.LOGOUT, by=user)


def end_sessions(user: User, *, keep: str | None = None) -> int:
    """Revoke all sessions of the user except `keep`, a session id; return how many."""
    return revoke_user(user, reason=BlacklistedToken.Reason.LOGOUT_ALL, by=user, keep=keep)


def end_sessions_before_deletion(instance: User, **kwargs: Any) -> None:
    """Revoke the sessions of a user who is about to be deleted. Receiver of `pre_delete`.

    After the deletion no session refers to the user, so the revocation feed could not list them.
    """
    revoke_user(instance, reason=BlacklistedToken.Reason.DEACTIVATED)
