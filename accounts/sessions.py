"""The sessions of a user: listing the live ones and revoking them."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from token_blacklist.models import BlacklistedToken, OutstandingToken, OutstandingTokenQuerySet
from token_blacklist.sessions.end import revoke_session, revoke_user
from token_blacklist.tokens import SESSION_CLAIM, BlacklistMixin, Token

from .models import User

MOST = 100  # sessions in a list


def live_sessions(user: User) -> OutstandingTokenQuerySet:
    """Return the user's live sessions, the one last active first, with `last_active`."""
    return (
        OutstandingToken.objects.filter(user=user)
        .live()
        .annotate(last_active=Coalesce("refreshed_at", "created_at"))
        .order_by(F("last_active").desc(nulls_last=True), "-pk")
    )


def session_of(token: object) -> str | None:
    """Return the id of the session that a request's token belongs to, if it has one."""
    if isinstance(token, BlacklistMixin):
        return token.session_id
    return token.get(SESSION_CLAIM) if isinstance(token, Token) else None


def end_session(user: User, session_id: str) -> None:
    """Revoke one session of the user. An expired or revoked session stays as it is.

    Raises:
        NotFound: there is no such session, or it is somebody else's: the answer is the same.
    """
    own = OutstandingToken.objects.filter(user=user).select_related("blacklistedtoken")
    # What is not printable is no id, and a database may choke on it.
    record = own.filter(session_id=session_id).first() if session_id.isprintable() else None
    if record is None:
        raise NotFound(_("You have no session with this id."))
    if not record.is_blacklisted:
        revoke_session(record, reason=BlacklistedToken.Reason.LOGOUT, by=user)


def end_sessions(user: User, *, keep: str | None = None) -> int:
    """End all sessions of the user, but for the one whose id is `keep`; return how many."""
    return revoke_user(user, reason=BlacklistedToken.Reason.LOGOUT_ALL, by=user, keep=keep)


def end_deleted(instance: User, **kwargs: Any) -> None:
    """Revoke the sessions of a user who is about to be deleted. Receives `pre_delete`.

    Afterwards no session names the user, and other services would not hear of its end.
    """
    revoke_user(instance, reason=BlacklistedToken.Reason.DEACTIVATED)
