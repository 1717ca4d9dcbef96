"""Opening a session: one INSERT, if the user is still as they were when they signed in."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router, transaction

from ..conf import conf
from ..exceptions import WRONG_CREDENTIALS, AuthenticationFailed
from ..models import BlacklistedToken, OutstandingToken
from ..signals import token_issued
from ..statements import Statement, insert, param, prepared
from ..users import active_users
from .end import revoke_sessions

COLUMNS = ("session_id", "generation", "created_at", "expires_at", "ip_address", "user_agent")


@prepared
def _insert(using: str) -> Statement:
    """Insert a session, if its user is active and still has the `password` hash."""
    user, session = get_user_model()._meta, OutstandingToken._meta
    unchanged = active_users().filter(
        pk=param("user", user.pk), password=param("password", user.get_field("password"))
    )
    values = {name: param(name, session.get_field(name)) for name in ("user", *COLUMNS)}
    return insert(OutstandingToken, values, unchanged, using, lock="NO KEY UPDATE")


def open_session(session: OutstandingToken) -> None:
    """Insert the session, and end the oldest ones of a user who has more than the limit.

    A password change or deactivation at the same moment either sees this session and ends it, or
    is seen here. Without the condition on the hash, a sign-in with the old password could slip in
    behind a change of the password.

    Raises:
        AuthenticationFailed: `no_active_account`, the user has changed since.
    """
    user: Any = session.user
    using = router.db_for_write(OutstandingToken)
    with transaction.atomic(using) if conf.MAX_SESSIONS_PER_USER else nullcontext():
        values = {name: getattr(session, name) for name in COLUMNS}
        if not _insert(using).rows(user=user.pk, password=user.password, **values):
            raise AuthenticationFailed(WRONG_CREDENTIALS, code="no_active_account")
        if conf.MAX_SESSIONS_PER_USER:
            # The user's row is locked until the commit, so sign-ins are counted one by one.
            _end_oldest(user, conf.MAX_SESSIONS_PER_USER)
    token_issued.announce(OutstandingToken, session_id=session.session_id, user_id=user.pk)


def _end_oldest(user: Any, limit: int) -> None:
    newest_first = OutstandingToken.objects.filter(user=user).live().order_by("-pk")
    surplus = OutstandingToken.objects.filter(pk__in=newest_first.values("pk")[limit:])
    revoke_sessions(surplus, reason=BlacklistedToken.Reason.API)
