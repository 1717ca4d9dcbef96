"""Refreshing: one UPDATE advances the session's row by a generation (RFC 9700 section 4.14.2).

If several requests bring the same token at the same time, the UPDATE lets one of them through. The
others find the row advanced and, within the grace period, get the same next token, if they may come
from the same client. `next_claims`, `refresh` and their helpers follow in the order of a refresh.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
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
from ..utils import aware
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
    users = named(active_users())
    sessions = OutstandingToken.objects.filter(
        models.Exists(users.filter(pk=models.OuterRef("user_id"))),
        session_id=param("session_id", TEXT),
        generation=generation,
    )
    return update(sessions.one_not_blacklisted().unexpired(now), changes, using)


def next_claims(claims: SessionClaims) -> SessionClaims:
    """Return the claims of the token that a refresh issues. The session does not change yet.

    One SELECT with USER_CLAIMS, or if no row is advanced, which would check the user.

    Raises:
        TokenError: the session has reached SESSION_LIFETIME, or it has ended and is not advanced.
        AuthenticationFailed: `no_active_account`.
    """
    if not _advances_rows():
        claims = claims._replace(user=_accepted_user(claims))
    elif conf.USER_CLAIMS:
        claims = claims._replace(user=find_user(claims.user_id, for_write=True))
    if not conf.ROTATE_REFRESH_TOKENS:
        return claims
    return claims._replace(generation=claims.generation + 1, expires_at=_next_expiry(claims))


def refresh(
    claims: SessionClaims, following: SessionClaims, client: Client | None = None
) -> SessionClaims:
    """Advance the session from these claims to the following; return those now in force.

    They are `following`, or within the grace period those that an earlier refresh with this token
    put in force. One UPDATE, or one SELECT as well, and one INSERT for reuse; one more SELECT for a
    USER_AUTHENTICATION_RULE of the site. `client` is recorded, and a repeat by another client is
    reuse; None is any client. Call it with the next token signed: a failure then consumes nothing.

    Raises:
        TokenError: the session has ended, or ends now because this token was reused.
        AuthenticationFailed: `no_active_account`.
    """
    if not _advances_rows():
        return following
    if has_own_rule() and not may_use_tokens(
        following.user or find_user(claims.user_id, for_write=True)
    ):
        raise _no_active_account()
    if _advance(claims, following, client):
        return following
    session = claims.find_row()
    if session is None and not claims.needs_record:
        if _record_advanced(claims, following, client):
            return following
        session = claims.find_row()  # recorded by another request at the same time
    if session is None:
        raise TokenError(_("Token is blacklisted"))
    if not (may_use_tokens(session.user) and claims.names(session.user)):
        raise _no_active_account()  # first, because this error is more specific
    _repeat(session, claims, client or Client())
    return claims._replace(
        generation=session.generation,
        now=aware(session.refreshed_at or claims.now),
        expires_at=aware(session.expires_at),
        user=session.user,
    )


def _advances_rows() -> bool:
    """Return whether a refresh rotates the token of a session that has a row."""
    return conf.ROTATE_REFRESH_TOKENS and conf.LISTS_ENABLED


def _next_expiry(claims: SessionClaims) -> datetime:
    """Return when the next token expires, in whole seconds so that `exp` and the row agree."""
    lifetime = claims.lifetime
    longest = conf.longest_lifetime(remember=claims.remember)
    if longest is not None:
        # By age: adding to an auth_time in the year 9999 would overflow.
        lifetime = min(lifetime, longest - (claims.now - claims.signed_in_at))
        if lifetime <= timedelta(0):
            raise ExpiredTokenError(_("The session has expired. Sign in again."))
    end = claims.now + lifetime
    if not conf.REQUIRE_OUTSTANDING:
        # Not before this token: after a flush of the row, it would be accepted again.
        end = max(end, claims.expires_at)
    return end.replace(microsecond=0)


def _accepted_user(claims: SessionClaims) -> Any:
    """Return the user of a token that is in force. One SELECT."""
    try:
        return claims.prove(for_write=True)
    except AuthenticationFailed as error:
        raise _no_active_account() from error


def _no_active_account() -> AuthenticationFailed:
    return AuthenticationFailed(
        _("This account is deactivated or no longer exists. Contact support."),
        code="no_active_account",
    )


def _advance(claims: SessionClaims, following: SessionClaims, client: Client | None) -> bool:
    """Send the UPDATE; return whether the session was live, at this generation, and the user's."""
    names = {"session_id": claims.session_id, "user_id": claims.user_id}
    advanced = _update(router.db_for_write(OutstandingToken), client is not None).count(
        **names,
        generation=claims.generation,
        now=claims.now,
        expires_at=following.expires_at,
        **vars(client or Client()),
    )
    if advanced:
        token_refreshed.announce(OutstandingToken, **names, generation=following.generation)
    return bool(advanced)


def _record_advanced(
    claims: SessionClaims, following: SessionClaims, client: Client | None
) -> bool:
    """Record a session that has no row, at its next generation; return whether this call did."""
    columns = following.columns(_accepted_user(claims), client or Client())
    return record(columns | {"refreshed_at": claims.now})[1]


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
    if claims.generation == session.generation:
        # All other conditions of the UPDATE hold: the user model's default manager hides the user.
        raise _no_active_account()
    # A lost response comes from the same client. Otherwise a thief who refreshes just after the
    # user would get the user's own next token each time, and nobody would notice.
    was_refreshed = claims.generation < session.generation and conf.BLACKLIST_AFTER_ROTATION
    is_same_client = client.may_be(Client(session.ip_address, session.user_agent))
    if not session.is_in_force or (was_refreshed and not is_same_client):
        if revoke_session(session, reason=BlacklistedToken.Reason.REUSE)[1]:
            token_reused.announce(OutstandingToken, generation=claims.generation, **facts)
        raise TokenError(_("Token is blacklisted"))
    token_repeated.announce(OutstandingToken, generation=session.generation, **facts)
