"""Proving a token: one SELECT reads the user and whether the session is live."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Exists, OuterRef, Value
from django.utils.translation import gettext_lazy as _

from ..conf import conf
from ..exceptions import AuthenticationFailed, ExpiredTokenError, TokenError
from ..models import OutstandingToken
from ..statements import NUMBER, TEXT, TIME, Selection, param, prepared, select
from ..users import may_use_tokens, named_by_id, named_by_key
from .row import SessionClaims


@prepared
def _user_and_session(
    using: str, has_session: bool, has_generation: bool, may_be_unlisted: bool, by_key: bool
) -> Selection:
    is_live: Any = Value(value=True)
    if has_session:
        now = param("now", TIME)
        sessions = OutstandingToken.objects.filter(session_id=param("session_id", TEXT))
        theirs = sessions.unexpired(now).filter(user=OuterRef("pk")).one_not_blacklisted()
        if has_generation:
            theirs = theirs.in_force(param("generation", NUMBER), now)
        is_live = Exists(theirs) | ~Exists(sessions) if may_be_unlisted else Exists(theirs)
    users = named_by_key() if by_key else named_by_id()
    return select(users.annotate(_session_is_live=is_live)[:1], using)


def prove(
    user_id: Any,
    session_id: str | None,
    generation: int | None = None,
    *,
    now: datetime,
    may_be_unlisted: bool = False,
) -> Any:
    """Return the user, if they may use tokens and the session is live. One SELECT.

    The arguments are those of `find_user_of_session`.

    Raises:
        AuthenticationFailed: `user_not_found` or `user_inactive`.
        TokenError: the session has ended, or the generation is not in force.
    """
    user, is_live = find_user_of_session(
        user_id, session_id, generation, now=now, may_be_unlisted=may_be_unlisted
    )
    if user is None:
        raise AuthenticationFailed(_("This account no longer exists."), code="user_not_found")
    if not may_use_tokens(user):
        detail = _("This account is deactivated. Contact support.")
        raise AuthenticationFailed(detail, code="user_inactive")
    if not is_live:
        raise TokenError(_("Token is blacklisted"))
    return user


def prove_claims(claims: SessionClaims) -> Any:
    """Return the user of a refresh or sliding token, if it is in force. See `prove`."""
    if not conf.LISTS_ENABLED:
        return prove(claims.user_id, None, now=claims.now)
    return prove(
        claims.user_id,
        claims.session_id,
        claims.generation,
        now=claims.now,
        may_be_unlisted=not claims.needs_record,
    )


def find_user_of_session(
    user_id: Any,
    session_id: str | None,
    generation: int | None = None,
    *,
    now: datetime,
    may_be_unlisted: bool = False,
    by_key: bool = False,
) -> tuple[Any, bool]:
    """Return the user, or None, and whether the session is live and theirs. One SELECT.

    `user_id` is the user's USER_ID_FIELD, or `by_key` the primary key. A `session_id` of None is
    always live. A `generation` must also be in force, and a session without a record is live if it
    `may_be_unlisted`.
    """
    statement = _user_and_session(
        router.db_for_read(get_user_model()),
        session_id is not None,
        generation is not None,
        may_be_unlisted,
        by_key,
    )
    user = statement.first(user_id=user_id, session_id=session_id, generation=generation, now=now)
    return user, user is not None and user._session_is_live


def check_session(claims: SessionClaims) -> None:
    """Raise TokenError unless the token is in force in a live session. One SELECT.

    For tokens that need not name a user, who is therefore not checked.
    """
    session = claims.find_row()
    if session is None:
        if claims.needs_record:
            raise TokenError(_("Token has no session: it has ended"))
    elif session.is_blacklisted or not session.is_in_force:
        raise TokenError(_("Token is blacklisted"))
    elif session.is_expired(claims.now):
        raise ExpiredTokenError(_("Token is expired"))
    else:
        check_owner(session, claims)


def check_owner(session: OutstandingToken, claims: SessionClaims) -> None:
    """Raise TokenError if the session belongs to a user whom the token does not name."""
    # None: deleted since, or the token never named one.
    if session.user is not None and not claims.names(session.user):
        raise TokenError(_("Token is invalid"))
