"""Prolonging: a session of pages expires later while it is used."""

from __future__ import annotations

from datetime import datetime

from django.db import router

from ..models import OutstandingToken
from ..statements import TEXT, TIME, Statement, param, prepared, update


@prepared
def _update(using: str) -> Statement:
    """Move the expiry of a live session, and never back."""
    expires_at = param("expires_at", TIME)
    sessions = OutstandingToken.objects.filter(
        session_id=param("session_id", TEXT), expires_at__lt=expires_at
    )
    live = sessions.one_not_blacklisted().unexpired(param("now", TIME))
    return update(live, {"expires_at": expires_at}, using)


def prolong(session_id: str, *, now: datetime, expires_at: datetime) -> bool:
    """Let the session expire at this time, if it is live and would expire earlier. One UPDATE.

    Return whether it was. The generation and `refreshed_at`, which decide about its tokens, stay.
    """
    statement = _update(router.db_for_write(OutstandingToken))
    return bool(statement.count(session_id=session_id, now=now, expires_at=expires_at))
