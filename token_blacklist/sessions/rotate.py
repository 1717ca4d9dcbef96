"""Rotating: a refresh advances the session's row by one UPDATE (RFC 9700 section 4.14.2).

However many requests bring the same token at the same time, the UPDATE lets one of them through.
The others find the row advanced and, within the grace period, get the same successor, if they may
come from the same client.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import models, router
from django.utils.translation import gettext_lazy as _

from ..clients import Client
from ..conf import conf
from ..exceptions import ExpiredTokenError, TokenError
from ..models import BlacklistedToken, OutstandingToken
from ..signals import token_refreshed, token_repeated, token_reused
from ..statements import NUMBER, TEXT, TIME, Statement, param, prepared, update
from ..users import active_users, named_by_id
from .end import revoke_session

logger = logging.getLogger(__name__)


@prepared
def _update(using: str, client_is_known: bool) -> Statement:
    """Advance a session by one generation.

    Conditions on the row are plain columns and conditions on other tables are subqueries, because
    PostgreSQL evaluates these again after waiting for another request that holds the row.
    """
    generation, now = param("generation", NUMBER), param("now", TIME)
    changes = {
        "generation": generation + 1,
        "refreshed_at": now,
        "expires_at": param("expires_at", TIME),
    }
    if client_is_known:
        for name in ("ip_address", "user_agent"):
            changes[name] = param(name, OutstandingToken._meta.get_field(name))
    users = active_users() & named_by_id()
    records = BlacklistedToken.objects.filter(token=models.OuterRef("pk"))
    sessions = OutstandingToken.objects.alias(
        # Instead of `not_blacklisted()`, for the reason in `prove.py`. A join would become `id IN
        # (subquery)`, which is not evaluated again.
        record=models.Subquery(records.values("pk"))
    ).filter(
        models.Exists(users.filter(pk=models.OuterRef("user_id"))),
        session_id=param("session_id", TEXT),
        generation=generation,
        record=None,
    )
    return update(sessions.unexpired(now), changes, using)


def advance(
    session_id: str,
    generation: int,
    *,
    user_id: Any,
    now: datetime,
    expires_at: datetime,
    client: Client | None,
) -> bool:
    """Advance the session from this generation to the next, if it is live; return whether it was.

    `user_id` is the USER_ID_FIELD of its active user.
    """
    known = client or Client()
    advanced = _update(router.db_for_write(OutstandingToken), client is not None).count(
        session_id=session_id,
        user_id=user_id,
        generation=generation,
        now=now,
        expires_at=expires_at,
        ip_address=known.ip_address,
        user_agent=known.user_agent,
    )
    if advanced:
        token_refreshed.announce(
            OutstandingToken, session_id=session_id, user_id=user_id, generation=generation + 1
        )
    return bool(advanced)


def repeat(
    session: OutstandingToken, generation: int, now: datetime, client: Client | None
) -> None:
    """Accept that a refresh with a token of this generation is repeated, or raise TokenError.

    `session` comes from `find_session`. Reuse of an old token ends it: one INSERT.
    """
    client = client or Client()
    if session.is_blacklisted:
        raise TokenError(_("Token is blacklisted"))
    if session.is_expired(now):
        raise ExpiredTokenError(_("Token is expired"))
    if generation > session.generation:
        # No client can be ahead of the row, unless a backup was restored.
        logger.error(
            "session %s is at generation %s, but a token of generation %s came: "
            "was the database restored?",
            session.session_id,
            session.generation,
            generation,
        )
        raise TokenError(_("Token is invalid"))
    if not session.is_in_force or _is_of_another_client(session, generation, client):
        _end_reused(session, generation, client)
        raise TokenError(_("Token is blacklisted"))
    token_repeated.announce(
        OutstandingToken,
        session_id=session.session_id,
        user_id=session.user_id,
        generation=session.generation,
        ip_address=client.ip_address,
        user_agent=client.user_agent,
    )


def _is_of_another_client(session: OutstandingToken, generation: int, client: Client) -> bool:
    """Return whether the token was refreshed by one client and now comes from another.

    A lost response comes from the same client. Otherwise a thief who refreshes just after the user
    would get the user's own next token each time, and nobody would notice.
    """
    was_refreshed = generation < session.generation and conf.BLACKLIST_AFTER_ROTATION
    recorded = Client(session.ip_address, session.user_agent)
    return was_refreshed and not client.may_be(recorded)


def _end_reused(session: OutstandingToken, generation: int, client: Client) -> None:
    """End a session whose old token came back: it is held by two clients, one a thief."""
    _record, ended = revoke_session(session, reason=BlacklistedToken.Reason.REUSE)
    if ended:
        token_reused.announce(
            OutstandingToken,
            session_id=session.session_id,
            user_id=session.user_id,
            generation=generation,
            ip_address=client.ip_address,
            user_agent=client.user_agent,
        )
