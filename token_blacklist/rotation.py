"""Refreshing: the session's row moves on by one compare-and-set UPDATE (RFC 9700 section 4.14.2).

However many requests bring the same token at once, the UPDATE lets one of them through; the
others find the row moved and, within the grace, get the same successor.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models, router
from django.utils.translation import gettext_lazy as _

from . import keys
from .clients import Client
from .conf import conf
from .exceptions import AuthenticationFailed, ExpiredTokenError, TokenError
from .models import BlacklistedToken, OutstandingToken, active_users, jti_of, user_id_param
from .proof import holder_of
from .signals import token_refreshed, token_repeated, token_reused
from .statements import NUMBER, TEXT, TIME, Statement, param, prepared, update
from .tokens import AUTH_TIME_CLAIM, SESSION_CLAIM, BlacklistMixin

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=BlacklistMixin)
Answer = TypeVar("Answer")


def rotate(token: T, answer: Callable[[T], Answer], client: Client | None = None) -> Answer:
    """Move the token's session on, and return `answer(its new token)`.

    With ROTATE_REFRESH_TOKENS off nothing moves: it is `answer(token)`, after one SELECT.

    The answer is made before the row moves, so that a failure in making it consumes nothing.
    One UPDATE where the token is in force; else one SELECT that says why not, and one INSERT
    if what it says is reuse. One SELECT more, first, where the site has a USER_AUTHENTICATION_RULE
    or USER_CLAIMS: both are Python, and need the user.

    Raises:
        TokenError: the session has ended, or this token was given up and ends it now.
        AuthenticationFailed: `no_active_account`, the user is gone or inactive.
    """
    if not conf.ROTATE_REFRESH_TOKENS:
        token.set_user(_active_holder(token))
        return answer(token)
    now = token.current_time
    expires_at = _end_of_next(token, now)
    if not conf.LISTS_ENABLED:
        return answer(_unlisted_successor(token, expires_at, _active_holder(token)))
    user = None
    if conf.USER_CLAIMS or conf.has("USER_AUTHENTICATION_RULE"):
        user = token.find_user()
        if not conf.USER_AUTHENTICATION_RULE(user):
            raise _no_active_account()
    successor = _successor(token, token.generation + 1, now, expires_at, user)
    prepared = answer(successor)
    if _move(token, now, expires_at, client):
        token_refreshed.announce(
            OutstandingToken,
            session_id=token.session_id,
            user_id=token.user_id,
            generation=successor.generation,
        )
        return prepared
    record = token.find_record()
    if record is None:
        record, adopted = _adopt(token, now, expires_at, client)
        if adopted:
            return prepared
    prepared = answer(_successor_in_force(token, record))
    token_repeated.announce(
        OutstandingToken,
        session_id=record.session_id,
        user_id=record.user_id,
        generation=record.generation,
    )
    return prepared


def _move(
    token: BlacklistMixin, now: datetime, expires_at: datetime, client: Client | None
) -> bool:
    """Move the row from the token's generation to the next, if nothing stands against it.

    Conditions on the row are plain columns, which PostgreSQL looks at again after waiting
    for another request that holds the row; conditions on other tables are EXISTS.
    """
    client_is_known = client is not None
    client = client or Client()
    using = router.db_for_write(OutstandingToken)
    moved = _moving(using, client_is_known).count(
        session_id=token.session_id,
        user_id=token.user_id,
        generation=token.generation,
        now=now,
        expires_at=expires_at,
        ip_address=client.ip_address,
        user_agent=client.user_agent,
    )
    return bool(moved)


@prepared
def _moving(using: str, client_is_known: bool) -> Statement:
    generation, now = param("generation", NUMBER), param("now", TIME)
    changes = {
        "generation": generation + 1,
        "refreshed_at": now,
        "expires_at": param("expires_at", TIME),
    }
    if client_is_known:
        for name in ("ip_address", "user_agent"):
            changes[name] = param(name, OutstandingToken._meta.get_field(name))
    users = active_users().filter(
        pk=models.OuterRef("user_id"), **{conf.USER_ID_FIELD: user_id_param()}
    )
    sessions = OutstandingToken.objects.filter(
        models.Exists(users), session_id=param("session_id", TEXT), generation=generation
    )
    return update(sessions.live(now), changes, using)


def _successor_in_force(token: T, record: OutstandingToken) -> T:
    """Return the token that replaced this one, if it may be asked for again; else raise.

    The row holds all that the first answer was made of, so the token is the same again. Only the
    claims of USER_CLAIMS are those of now.
    """
    now, generation = token.current_time, token.generation
    if not _may_sign_in(record.user, token):
        raise _no_active_account()  # first, as for an access token: it tells the client more
    if record.is_blacklisted:
        raise TokenError(_("Token is blacklisted"))
    if record.is_expired(now):
        raise ExpiredTokenError(_("Token is expired"))
    if generation > record.generation:
        # No client can be ahead of the row, unless the row went back.
        logger.error(
            "session %s is at generation %s, but a token of generation %s came: "
            "was the database restored?",
            record.session_id,
            record.generation,
            generation,
        )
        raise TokenError(_("Token is invalid"))
    if not record.accepts(generation, now):
        _end_reused(token, record)
        raise TokenError(_("Token is blacklisted"))
    issued_at = record.refreshed_at or now
    return _successor(token, record.generation, issued_at, record.expires_at, record.user)


def _end_reused(token: BlacklistMixin, record: OutstandingToken) -> None:
    """End a session whose old token came back: one of its two holders is a thief."""
    _entry, ended = BlacklistedToken.objects.insert(record, reason=BlacklistedToken.Reason.REUSE)
    if ended:
        token_reused.announce(
            OutstandingToken,
            session_id=record.session_id,
            user_id=record.user_id,
            generation=token.generation,
        )


def _adopt(
    token: BlacklistMixin, now: datetime, expires_at: datetime, client: Client | None
) -> tuple[OutstandingToken, bool]:
    """Record a session, at its next generation, for a token that the lists do not know.

    Only with REQUIRE_OUTSTANDING off, for tokens that were never recorded. Return the
    record and whether this call made it.
    """
    if token.needs_record:
        raise TokenError(_("Token is blacklisted"))
    client = client or Client()
    return OutstandingToken.objects.get_or_create(
        session_id=token.session_id,
        defaults={
            "user": _active_holder(token),
            "generation": token.generation + 1,
            "created_at": token.signed_in_at,
            "refreshed_at": now,
            "expires_at": expires_at,
            "ip_address": client.ip_address,
            "user_agent": client.user_agent,
        },
    )


def _successor(
    token: T, generation: int, issued_at: datetime, expires_at: datetime, user: Any
) -> T:
    """Return the session's token of that generation, with all other claims from this one.

    `user` is the token's, or None where nobody needs it.
    """
    claims = dict(token.payload)
    claims[conf.JTI_CLAIM] = jti_of(token.session_id, generation)
    claims["iat"] = keys.epoch(issued_at)
    claims["exp"] = keys.epoch(expires_at)
    claims[SESSION_CLAIM] = token.session_id
    claims[AUTH_TIME_CLAIM] = keys.epoch(token.signed_in_at)
    successor = type(token).with_claims(claims)
    # A repeated refresh gets the same access token, too.
    successor.current_time = issued_at
    successor.is_repeatable = True
    successor.set_user(user)
    return successor


def _end_of_next(token: BlacklistMixin, now: datetime) -> datetime:
    """Return when the next token ends, in whole seconds: its `exp` and the row agree."""
    lifetime: timedelta = token.lifetime
    if conf.SESSION_LIFETIME is not None:
        # By age: an end reckoned from an auth_time of the year 9999 is not on the calendar.
        lifetime = min(lifetime, conf.SESSION_LIFETIME - (now - token.signed_in_at))
        if lifetime <= timedelta(0):
            raise ExpiredTokenError(_("The session has reached its end. Sign in again."))
    end = now + lifetime
    if not conf.REQUIRE_OUTSTANDING:
        # Never before the token that was brought: without its row it would be a stranger's again,
        # and welcome.
        end = max(end, token.moment("exp"))
    return end - timedelta(microseconds=end.microsecond)


def _unlisted_successor(token: T, expires_at: datetime, user: Any) -> T:
    """Return the next token where there are no lists: it has an id of its own and no session."""
    claims = dict(token.payload)
    claims["iat"], claims["exp"] = keys.epoch(token.current_time), keys.epoch(expires_at)
    successor = type(token).with_claims(claims)
    successor.set_jti()
    successor.set_user(user)
    return successor


def _active_holder(token: BlacklistMixin) -> Any:
    try:
        user = holder_of(token)
    except AuthenticationFailed as error:
        raise _no_active_account() from error
    if not conf.USER_AUTHENTICATION_RULE(user):
        raise _no_active_account()
    return user


def _no_active_account() -> AuthenticationFailed:
    return AuthenticationFailed(
        _("This account is deactivated or no longer exists. Contact support."),
        code="no_active_account",
    )


def _may_sign_in(user: Any, token: BlacklistMixin) -> bool:
    return bool(
        conf.USER_AUTHENTICATION_RULE(user) and getattr(user, conf.USER_ID_FIELD) == token.user_id
    )
