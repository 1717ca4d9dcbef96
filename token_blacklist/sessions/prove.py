"""Checking a token: one SELECT reads the user and whether the session is live."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Exists, OuterRef, Value
from django.utils.translation import gettext_lazy as _

from ..clients import Client, client_of
from ..conf import conf
from ..exceptions import AuthenticationFailed, ExpiredTokenError, TokenError
from ..models import OutstandingToken
from ..signals import token_issued
from ..statements import NUMBER, TEXT, TIME, Selection, param, prepared, select
from ..users import id_of, may_use_tokens, named
from ..utils import as_stored


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
    users = named(by_key=by_key)
    return select(users.annotate(_session_is_live=is_live)[:1], using)


def prove(user_id: Any, session_id: str | None, *generation: int, **how: Any) -> Any:
    """Return the user, if they may use tokens and the session is live. One SELECT.

    The arguments are those of `find_user_of_session`.

    Raises:
        AuthenticationFailed: `user_not_found` or `user_inactive`.
        TokenError: the session has ended, or the generation is not in force.
    """
    user, is_live = find_user_of_session(user_id, session_id, *generation, **how)
    if user is None:
        raise AuthenticationFailed(_("This account no longer exists."), code="user_not_found")
    if not may_use_tokens(user):
        detail = _("This account is deactivated. Contact support.")
        raise AuthenticationFailed(detail, code="user_inactive")
    if not is_live:
        raise TokenError(_("Token is blacklisted"))
    return user


def find_user_of_session(
    user_id: Any,
    session_id: str | None,
    generation: int | None = None,
    *,
    now: datetime | None = None,
    may_be_unlisted: bool = False,
    by_key: bool = False,
    for_write: bool = False,
) -> tuple[Any, bool]:
    """Return the user, or None, and whether the session is live and theirs. One SELECT.

    `user_id` is the user's USER_ID_FIELD, or `by_key` the primary key. A `session_id` of None is
    always live, without `now`. A `generation` must also be in force, and a session without a record
    is live if it `may_be_unlisted`. `for_write` reads from where rows are written, and not from a
    replica.
    """
    statement = _user_and_session(
        router.db_for_write(OutstandingToken)
        if for_write
        else router.db_for_read(get_user_model()),
        session_id is not None,
        generation is not None,
        may_be_unlisted,
        by_key,
    )
    user = statement.first(user_id=user_id, session_id=session_id, generation=generation, now=now)
    return user, user is not None and user._session_is_live


def find_user(user_id: Any, *, for_write: bool = False) -> Any:
    """Return the user with this USER_ID_FIELD, or None. One SELECT, unless it is None."""
    if user_id is None:
        return None
    return find_user_of_session(user_id, None, for_write=for_write)[0]


class SessionClaims(NamedTuple):
    """What a refresh or sliding token claims about its session.

    `now` is the time of the request, or of the refresh that issued the token. If the app is not in
    INSTALLED_APPS, `session_id` is None. `lifetime` is that of the type of the token.
    """

    user_id: Any  # the user's USER_ID_FIELD; None if the token names no user
    session_id: Any
    has_sid: bool
    generation: int
    signed_in_at: datetime
    expires_at: datetime
    now: datetime
    lifetime: timedelta
    remember: bool
    user: Any = None  # if it was loaded

    @property
    def needs_record(self) -> bool:
        """Whether the token is refused without a record.

        A token with a `sid` has had a record; if that was deleted, the token is refused.
        """
        return conf.REQUIRE_OUTSTANDING or self.has_sid

    def names(self, user: Any) -> bool:
        return bool(id_of(user) == self.user_id)

    def prove(self, **how: Any) -> Any:
        """Return the user, if the token is in force. See `prove`."""
        unlisted = not self.needs_record
        place = (self.session_id, self.generation)
        return prove(self.user_id, *place, now=self.now, may_be_unlisted=unlisted, **how)

    def find_row(self) -> OutstandingToken | None:
        """Return the session with its user, its blacklist record and `is_in_force`. One SELECT.

        From where rows are written, because a replica may not have the last refresh yet.
        `is_in_force` is whether a token of this generation is accepted, as far as rotation goes.
        """
        return (
            OutstandingToken.objects.for_write()
            .filter(session_id=self.session_id)
            .select_related("user", "blacklistedtoken")
            .annotate_in_force(self.generation, self.now)
            .first()
        )

    def check_row(self) -> None:
        """Raise TokenError unless the token is in force in a live session. One SELECT.

        Whether the user may use tokens is not checked, because a token may name no user.
        """
        row = self.find_row()
        if row is None:
            if self.needs_record:
                raise TokenError(_("The session of this token has ended"))
        elif row.is_blacklisted or not row.is_in_force:
            raise TokenError(_("Token is blacklisted"))
        elif row.is_expired(self.now):
            raise ExpiredTokenError(_("Token is expired"))
        else:
            self.check_owner(row)

    def check_owner(self, row: OutstandingToken) -> None:
        """Raise TokenError if the session belongs to a user whom the token does not name."""
        # None: deleted since, or the token never named one.
        if row.user is not None and not self.names(row.user):
            raise TokenError(_("Token is invalid"))

    def columns(self, user: Any, client: Client) -> dict[str, Any]:
        """Return the values of a row for this session."""
        return {
            "user": user,
            "session_id": self.session_id,
            "generation": self.generation,
            "created_at": self.signed_in_at,
            "expires_at": self.expires_at,
            **vars(client),
        }

    def record(self) -> tuple[OutstandingToken, bool]:
        """Return the session's row and whether this call inserted it, if there was none."""
        row, is_new = record(self.columns(find_user(self.user_id, for_write=True), client_of(None)))
        if is_new:
            token_issued.announce(OutstandingToken, session_id=row.session_id, user_id=row.user_id)
        return row, is_new


def record(columns: dict[str, Any]) -> tuple[OutstandingToken, bool]:
    """Return the row of a session that may have none yet, and whether this call inserted it."""
    session_id = columns["session_id"]
    values = {name: as_stored(value) for name, value in columns.items()}
    return OutstandingToken.objects.get_or_create(session_id=session_id, defaults=values)
