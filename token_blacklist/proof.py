"""Whom a token speaks for, and whether its session is live: one SELECT for both."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, Value
from django.utils.translation import gettext_lazy as _

from .conf import conf
from .exceptions import AuthenticationFailed, TokenError
from .models import OutstandingToken
from .tokens import SESSION_CLAIM, BlacklistMixin, Token


def holder_of(token: Token) -> AbstractBaseUser:
    """Return the user that a genuine token speaks for, if its session is live.

    One SELECT. A refresh or sliding token must also be in force: of the session's current
    generation, or of the one before within the grace.

    Raises:
        TokenError: the token names no user, or its session has ended.
        AuthenticationFailed: `user_not_found` or `user_inactive`.
    """
    users = get_user_model()._default_manager
    found = users.annotate(_session_is_live=_session_is_live(token)).filter(
        **{conf.USER_ID_FIELD: token.user_id}
    )
    user: Any = found.first()
    if user is None:
        raise AuthenticationFailed(_("User not found"), code="user_not_found")
    if conf.CHECK_USER_IS_ACTIVE and not user.is_active:
        raise AuthenticationFailed(_("User is inactive"), code="user_inactive")
    if not user._session_is_live:
        raise TokenError(_("Token is blacklisted"))
    return user  # type: ignore[no-any-return]  # the annotation made it Any


def default_user_authentication_rule(user: Any) -> bool:
    """Whether a user whose credentials are right may come in. For USER_AUTHENTICATION_RULE."""
    return user is not None and (not conf.CHECK_USER_IS_ACTIVE or bool(user.is_active))


def _session_is_live(token: Token) -> Any:
    """Return the condition, for a query of users, that the token's session is live and theirs."""
    if not conf.LISTS_ENABLED:
        return Value(value=True)
    if isinstance(token, BlacklistMixin):
        session_id, listed = token.session_id, True
    elif SESSION_CLAIM in token:
        session_id, listed = token.identifier(SESSION_CLAIM), False
    else:
        return Value(value=True)  # an access token of no session is trusted until it ends

    sessions = OutstandingToken.objects.filter(session_id=session_id)
    live = sessions.filter(user=OuterRef("pk")).live(token.current_time)
    if not isinstance(token, BlacklistMixin):
        return Exists(live)
    condition = Q(Exists(live.accepting(token.generation, token.current_time)))
    if listed and not token.needs_record:
        condition |= ~Q(Exists(sessions))
    return condition
