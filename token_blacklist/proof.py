"""Whom a token speaks for, and whether its session is live: one SELECT for both."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import router
from django.db.models import Exists, OuterRef, Value
from django.utils.translation import gettext_lazy as _

from .conf import conf
from .exceptions import AuthenticationFailed, TokenError
from .models import OutstandingToken, user_id_param
from .statements import NUMBER, TEXT, TIME, Selection, param, prepared, select
from .tokens import SESSION_CLAIM, BlacklistMixin, Token


def holder_of(token: Token) -> AbstractBaseUser:
    """Return the user that a genuine token speaks for, if its session is live.

    One SELECT. A refresh or sliding token must also be in force: of the session's current
    generation, or of the one before within the grace.

    Raises:
        TokenError: the token names no user, or its session has ended.
        AuthenticationFailed: `user_not_found` or `user_inactive`.
    """
    users = get_user_model()
    session_id, generation = _session_of(token)
    statement = _proving(
        router.db_for_read(users),
        session_id is not None,
        generation is not None,
        isinstance(token, BlacklistMixin) and not token.needs_record,
    )
    user = statement.first(
        user_id=token.user_id,
        session_id=session_id,
        generation=generation,
        now=token.current_time,
    )
    if user is None:
        raise AuthenticationFailed(_("This account no longer exists."), code="user_not_found")
    if conf.CHECK_USER_IS_ACTIVE and not user.is_active:
        detail = _("This account is deactivated. Contact support.")
        raise AuthenticationFailed(detail, code="user_inactive")
    if not user._session_is_live:
        raise TokenError(_("Token is blacklisted"))
    return user  # type: ignore[no-any-return]  # the annotation made it Any


def default_user_authentication_rule(user: Any) -> bool:
    """Whether a user whose credentials are right may come in. For USER_AUTHENTICATION_RULE."""
    return user is not None and (not conf.CHECK_USER_IS_ACTIVE or bool(user.is_active))


def _session_of(token: Token) -> tuple[str | None, int | None]:
    """Return the session that must be live, and the generation that must be in force in it."""
    if not conf.LISTS_ENABLED:
        return None, None
    if isinstance(token, BlacklistMixin):
        return token.session_id, token.generation
    if SESSION_CLAIM in token:
        return token.identifier(SESSION_CLAIM), None
    return None, None  # an access token of no session is trusted until it ends


@prepared
def _proving(
    using: str, has_session: bool, has_generation: bool, may_be_unlisted: bool
) -> Selection:
    live: Any = Value(value=True)
    if has_session:
        now = param("now", TIME)
        sessions = OutstandingToken.objects.filter(session_id=param("session_id", TEXT))
        mine = sessions.filter(user=OuterRef("pk")).live(now)
        if has_generation:
            mine = mine.accepting(param("generation", NUMBER), now)
        live = Exists(mine) | ~Exists(sessions) if may_be_unlisted else Exists(mine)
    holder = get_user_model()._default_manager.filter(**{conf.USER_ID_FIELD: user_id_param()})
    return select(holder.annotate(_session_is_live=live)[:1], using)
