"""The row of a session that a refresh or sliding token names: finding it, and recording it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..clients import Client, client_of
from ..conf import conf
from ..models import OutstandingToken
from ..signals import token_issued
from ..users import find_user

KEPT = (
    "user",
    "generation",
    "created_at",
    "refreshed_at",
    "expires_at",
    "ip_address",
    "user_agent",
)


@dataclass(frozen=True, kw_only=True)
class SessionClaims:
    """What a refresh or sliding token claims about its session, and the time of the request.

    `lifetime` is that of the token's class. `session_id` and `generation` mean nothing if the app
    is not in INSTALLED_APPS.
    """

    session_id: str
    generation: int
    user_id: Any  # the user's USER_ID_FIELD; None if the token names no user
    signed_in_at: datetime
    expires_at: datetime
    now: datetime
    lifetime: timedelta
    remember: bool = True
    has_sid: bool = True

    @property
    def needs_record(self) -> bool:
        """Whether the token is refused without a record.

        A token with a `sid` has had a record; if that was deleted, the token is refused.
        """
        return conf.REQUIRE_OUTSTANDING or self.has_sid

    def names(self, user: Any) -> bool:
        return bool(getattr(user, conf.USER_ID_FIELD) == self.user_id)

    def find_row(self) -> OutstandingToken | None:
        """Return the session with its user, its blacklist record and `is_in_force`. One SELECT.

        `is_in_force` is whether a token of this generation is accepted, as far as rotation goes.
        """
        return (
            OutstandingToken.objects.filter(session_id=self.session_id)
            .select_related("user", "blacklistedtoken")
            .annotate_in_force(self.generation, self.now)
            .first()
        )

    def new_row(self, user: Any, client: Client) -> OutstandingToken:
        """Return the row of this session, which is not saved."""
        return OutstandingToken(
            user=user,
            session_id=self.session_id,
            generation=self.generation,
            created_at=self.signed_in_at,
            expires_at=self.expires_at,
            ip_address=client.ip_address,
            user_agent=client.user_agent,
        )

    def record(self) -> tuple[OutstandingToken, bool]:
        """Return the session's row and whether this call inserted it, if there was none."""
        row = self.new_row(find_user(self.user_id), client_of(None))
        session, is_new = record_session(row)
        if is_new:
            token_issued.announce(
                OutstandingToken, session_id=session.session_id, user_id=session.user_id
            )
        return session, is_new


def record_session(session: OutstandingToken) -> tuple[OutstandingToken, bool]:
    """Return the row of a session that may have none yet, and whether this call inserted it.

    For tokens that were issued without a record.
    """
    values = {name: getattr(session, name) for name in KEPT}
    return OutstandingToken.objects.get_or_create(session_id=session.session_id, defaults=values)
