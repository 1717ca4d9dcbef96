"""Opening a session: one INSERT, unless the user has changed since the password was checked.

Also changing when a session expires: one of the pages while it is used, one whose token the site
gives another `exp`.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import router, transaction

from ..conf import conf
from ..exceptions import WRONG_CREDENTIALS, AuthenticationFailed
from ..models import BlacklistedToken, OutstandingToken
from ..signals import token_issued
from ..statements import NUMBER, TEXT, TIME, Statement, insert, param, prepared, update
from ..users import unchanged_user
from .end import revoke_sessions
from .prove import SessionClaims

COLUMNS = ("session_id", "generation", "created_at", "expires_at", "ip_address", "user_agent")


@prepared
def _insert(using: str) -> Statement:
    """Insert a session, if its user is active and still has the `password` hash."""
    session = OutstandingToken._meta
    values = {name: param(name, session.get_field(name)) for name in ("user", *COLUMNS)}
    return insert(OutstandingToken, values, unchanged_user(), using, lock="NO KEY UPDATE")


@prepared
def _prolong(using: str) -> Statement:
    """Extend the expiry of a live session. Never shortens it."""
    expires_at = param("expires_at", TIME)
    sessions = OutstandingToken.objects.filter(
        session_id=param("session_id", TEXT), expires_at__lt=expires_at
    )
    live = sessions.one_not_blacklisted().unexpired(param("now", TIME))
    return update(live, {"expires_at": expires_at}, using)


@prepared
def _move(using: str) -> Statement:
    """Change the expiry of a live session, in which a token of this generation is in force."""
    now = param("now", TIME)
    sessions = OutstandingToken.objects.filter(session_id=param("session_id", TEXT))
    live = sessions.one_not_blacklisted().unexpired(now)
    in_force = live.in_force(param("generation", NUMBER), now)
    return update(in_force, {"expires_at": param("expires_at", TIME)}, using)


def open_session(session: OutstandingToken) -> None:
    """Insert the session, and end the oldest ones of a user who has more than the limit.

    A password change or deactivation at the same time either finds this session and ends it, or
    makes this call fail. Without the condition on the hash, a sign-in with the old password could
    open a session just after the password was changed.

    Raises:
        AuthenticationFailed: `no_active_account`, the user has changed since.
    """
    user: Any = session.user
    using = router.db_for_write(OutstandingToken)
    with transaction.atomic(using) if conf.MAX_SESSIONS_PER_USER else nullcontext():
        values = {name: getattr(session, name) for name in COLUMNS}
        password = getattr(user, "password", None) or ""
        if not _insert(using).rows(user=user.pk, password=password, **values):
            raise AuthenticationFailed(WRONG_CREDENTIALS, code="no_active_account")
        if conf.MAX_SESSIONS_PER_USER:
            # The user's row is locked until the commit, so sign-ins are counted one by one.
            _end_oldest(user, conf.MAX_SESSIONS_PER_USER)
    token_issued.announce(OutstandingToken, session_id=session.session_id, user_id=user.pk)


def prolong(session_id: str, *, now: datetime, expires_at: datetime) -> bool:
    """Extend the session to `expires_at`, if it is live and would expire earlier. One UPDATE.

    Return whether it was. The generation and `refreshed_at`, which decide about its tokens, stay.
    """
    statement = _prolong(router.db_for_write(OutstandingToken))
    return bool(statement.count(session_id=session_id, now=now, expires_at=expires_at))


def move_expiry(claims: SessionClaims) -> bool:
    """Let a live session expire when its token does; return whether there was one. One UPDATE."""
    statement = _move(router.db_for_write(OutstandingToken))
    names = ("session_id", "generation", "now", "expires_at")
    return bool(statement.count(**{name: getattr(claims, name) for name in names}))


def _end_oldest(user: Any, limit: int) -> None:
    newest_first = OutstandingToken.objects.filter(user=user).live().order_by("-pk")
    surplus = OutstandingToken.objects.filter(pk__in=newest_first.values("pk")[limit:])
    revoke_sessions(surplus, reason=BlacklistedToken.Reason.API)
