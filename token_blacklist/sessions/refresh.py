"""Refreshing: one UPDATE advances the session's row by a generation (RFC 9700 section 4.14.2).

If several requests bring the same token at the same time, the UPDATE lets one of them through. The
others find the row advanced and, within the grace period, get the same next token, if they may come
from the same client.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import models, router
from django.utils.translation import gettext_lazy as _

from ..clients import Client
from ..conf import conf
from ..exceptions import AuthenticationFailed, ExpiredTokenError, TokenError
from ..models import BlacklistedToken, OutstandingToken
from ..signals import token_refreshed, token_repeated, token_reused
from ..statements import NUMBER, TEXT, TIME, Statement, param, prepared, update
from ..users import active_users, has_own_rule, may_use_tokens, named
from .end import revoke_session
from .prove import SessionClaims, find_user, record

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
    users = active_users() & named()
    sessions = OutstandingToken.objects.filter(
        models.Exists(users.filter(pk=models.OuterRef("user_id"))),
        session_id=param("session_id", TEXT),
        generation=generation,
    )
    return update(sessions.one_not_blacklisted().unexpired(now), changes, using)


def refresh(
    claims: SessionClaims, expires_at: datetime, client: Client | None = None
) -> SessionClaims | None:
    """Advance the session to the next generation and this expiry; return None if this call did.

    Otherwise return the claims that an earlier refresh with this token put in force, within the
    grace period. One UPDATE, or one SELECT as well, and one INSERT for reuse; one more SELECT for a
    USER_AUTHENTICATION_RULE of the site. `client` is recorded, and a repeat by another client is
    reuse; None is any client. Call it with the next token signed: a failure then consumes nothing.

    Raises:
        TokenError: the session has ended, or ends now because this token was reused.
        AuthenticationFailed: `no_active_account`.
    """
    if not (conf.ROTATE_REFRESH_TOKENS and conf.LISTS_ENABLED):
        return None  # see `accept`
    if has_own_rule() and not may_use_tokens(claims.user or find_user(claims.user_id)):
        raise _no_active_account()
    if _advance(claims, expires_at, client):
        return None
    session = claims.find_row()
    if session is None and not claims.needs_record:
        if _record_advanced(claims, expires_at, client):
            return None
        session = claims.find_row()  # recorded by another request at the same time
    if session is None:
        raise TokenError(_("Token is blacklisted"))
    if not (may_use_tokens(session.user) and claims.names(session.user)):
        raise _no_active_account()  # first, because it tells the client more
    _repeat(session, claims, client or Client())
    return claims._replace(
        generation=session.generation,
        now=session.refreshed_at or claims.now,
        expires_at=session.expires_at,
        user=session.user,
    )


def accept(claims: SessionClaims) -> Any:
    """Return the user of a token that is in force, for a refresh that changes no row. One SELECT.

    With ROTATE_REFRESH_TOKENS off, or if the app is not in INSTALLED_APPS.
    """
    try:
        return claims.prove()
    except AuthenticationFailed as error:
        raise _no_active_account() from error


def _no_active_account() -> AuthenticationFailed:
    return AuthenticationFailed(
        _("This account is deactivated or no longer exists. Contact support."),
        code="no_active_account",
    )


def _advance(claims: SessionClaims, expires_at: datetime, client: Client | None) -> bool:
    """Send the UPDATE; return whether the session was live, at this generation, and the user's."""
    names = {"session_id": claims.session_id, "user_id": claims.user_id}
    advanced = _update(router.db_for_write(OutstandingToken), client is not None).count(
        **names,
        generation=claims.generation,
        now=claims.now,
        expires_at=expires_at,
        **vars(client or Client()),
    )
    if advanced:
        token_refreshed.announce(OutstandingToken, **names, generation=claims.generation + 1)
    return bool(advanced)


def _record_advanced(claims: SessionClaims, expires_at: datetime, client: Client | None) -> bool:
    """Record a session that has no row, at its next generation; return whether this call did."""
    columns = claims.columns(accept(claims), client or Client())
    columns |= {"generation": claims.generation + 1, "refreshed_at": claims.now}
    return record(columns | {"expires_at": expires_at})[1]


def _repeat(session: OutstandingToken, claims: SessionClaims, client: Client) -> None:
    """Accept that a refresh is repeated, or raise TokenError. Reuse ends the session: one INSERT.

    `session` comes from `claims.find_row()`.
    """
    if session.is_blacklisted:
        raise TokenError(_("Token is blacklisted"))
    if session.is_expired(claims.now):
        raise ExpiredTokenError(_("Token is expired"))
    if claims.generation > session.generation:
        # No client can be ahead of the row, unless a backup was restored.
        logger.error(
            "session %s is at generation %s, but a token of generation %s came: "
            "was the database restored?",
            session.session_id,
            session.generation,
            claims.generation,
        )
        raise TokenError(_("Token is invalid"))
    facts = {"session_id": session.session_id, "user_id": session.user_id, **vars(client)}
    # A lost response comes from the same client. Otherwise a thief who refreshes just after the
    # user would get the user's own next token each time, and nobody would notice.
    was_refreshed = claims.generation < session.generation and conf.BLACKLIST_AFTER_ROTATION
    is_same_client = client.may_be(Client(session.ip_address, session.user_agent))
    if not session.is_in_force or (was_refreshed and not is_same_client):
        if revoke_session(session, reason=BlacklistedToken.Reason.REUSE)[1]:
            token_reused.announce(OutstandingToken, generation=claims.generation, **facts)
        raise TokenError(_("Token is blacklisted"))
    token_repeated.announce(OutstandingToken, generation=session.generation, **facts)
