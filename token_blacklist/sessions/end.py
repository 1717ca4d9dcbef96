"""Ending sessions: one INSERT into the blacklist, for one session or many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, router, transaction

from ..conf import conf
from ..models import (
    MAX_PARAMETERS,
    BlacklistedToken,
    OutstandingToken,
    OutstandingTokenQuerySet,
)
from ..signals import token_blacklisted
from ..statements import TEXT, TIME, Statement, insert, insert_select, narrowed, param, prepared
from ..users import named
from ..utils import as_stored, aware_now
from .prove import SessionClaims

# Lock the session's row, because a foreign key would be checked only at the commit.
LOCK: dict[str, Any] = {"lock": "KEY SHARE", "ignore_conflicts": True}


@prepared
def _sign_out(using: str) -> Statement:
    """Blacklist a session of the user who is named by `user_id`."""
    theirs = models.Exists(named().filter(pk=models.OuterRef("user_id")))
    session = OutstandingToken.objects.filter(theirs, session_id=param("session_id", TEXT))
    values = {
        "token": models.F("pk"),
        "blacklisted_at": param("now", TIME),
        "reason": BlacklistedToken.Reason.LOGOUT.value,
        "blacklisted_by": models.F("user"),
        "note": "",
    }
    returning = ("id", "token", "blacklisted_by")
    return insert(BlacklistedToken, values, session, using, returning=returning, **LOCK)


def sign_out(session_id: str, user_id: Any) -> BlacklistedToken | None:
    """End a session of a user at their own request; return the record that this call inserted.

    One INSERT. `user_id` is the user's USER_ID_FIELD.
    """
    now, using = aware_now(), router.db_for_write(BlacklistedToken)
    inserted = _sign_out(using).rows(session_id=session_id, user_id=user_id, now=now)
    if not inserted:
        return None
    ((key, session, user),) = inserted
    user = get_user_model()._meta.pk.to_python(user)  # SQLite has no type for a UUID
    values = {"token_id": session, "blacklisted_at": now, "blacklisted_by_id": user}
    return _announced(key, session_id, user, reason=BlacklistedToken.Reason.LOGOUT, **values)


def end_session(
    claims: SessionClaims, *, reason: str, by: Any = None
) -> tuple[BlacklistedToken | None, bool]:
    """End the session of a token of any generation; return its record and whether this call did.

    A token without a session gets one. A second call changes nothing. The record is None if the
    session was flushed at the same time. Raises TokenError if it belongs to another user.
    """
    signs_out = by is None and reason == BlacklistedToken.Reason.LOGOUT
    if signs_out and claims.user_id is not None:
        record = sign_out(claims.session_id, claims.user_id)
        if record is not None:
            return record, True
    session = claims.find_row() or claims.record()[0]
    claims.check_owner(session)
    if session.is_blacklisted:
        return session.blacklistedtoken, False
    return revoke_session(session, reason=reason, by=session.user if signs_out else by)


def revoke_session(
    session: OutstandingToken, *, reason: str, by: Any = None, note: str = ""
) -> tuple[BlacklistedToken | None, bool]:
    """End one session; return its blacklist record and whether this call inserted it.

    One INSERT. `(record, False)` if it was blacklisted before, `(None, False)` if it was flushed
    at the same time: either way it has ended.
    """
    values = _values(reason, by, note)
    row = OutstandingToken.objects.filter(pk=session.pk)
    inserted = insert_select(BlacklistedToken, values, row, **LOCK)
    if not inserted:
        records = BlacklistedToken.objects.using(router.db_for_write(BlacklistedToken))
        return records.filter(token=session.pk).first(), False
    values |= {"token": session, "blacklisted_by": by}
    return _announced(inserted[0], session.session_id, session.user_id, **values), True


def revoke_sessions(
    sessions: OutstandingTokenQuerySet,
    *,
    reason: str,
    by: AbstractBaseUser | None = None,
    note: str = "",
) -> int:
    """End every live session of the queryset; return how many this call ended.

    One INSERT, and one SELECT of the ended sessions if a receiver listens. `reason` is a
    `BlacklistedToken.Reason`, `by` the user who ends them, `note` that user's explanation.
    """
    # In one transaction, so that a failed call can be repeated while the sessions are still live.
    using = router.db_for_write(BlacklistedToken)
    with transaction.atomic(using):
        inserted = insert_select(
            BlacklistedToken, _values(reason, by, note), _chosen(sessions).live(), **LOCK
        )
        has_listeners = token_blacklisted.has_listeners(BlacklistedToken)
        ended = [
            {"session_id": session_id, "user_id": user_id}
            for start in range(0, len(inserted) if has_listeners else 0, MAX_PARAMETERS)
            for session_id, user_id in BlacklistedToken.objects.using(using)
            .filter(pk__in=inserted[start : start + MAX_PARAMETERS])
            .values_list("token__session_id", "token__user_id")
        ]
    token_blacklisted.announce_many(
        BlacklistedToken,
        len(inserted),
        ended,
        reason=str(reason),
        by_id=by.pk if by else None,
    )
    return len(inserted)


def revoke_in_batches(
    sessions: OutstandingTokenQuerySet, *, reason: str, note: str = "", batch_size: int = 5_000
) -> Iterator[int]:
    """End every live session of the queryset in short transactions; yield the size of each.

    Sessions that were ended stay ended if it is interrupted, and a second call ends the others.
    """
    last = 0
    live = _chosen(sessions).using(router.db_for_write(BlacklistedToken)).live().order_by("pk")
    while keys := list(live.filter(pk__gt=last).values_list("pk", flat=True)[:batch_size]):
        batch = OutstandingToken.objects.filter(pk__in=keys)
        yield revoke_sessions(batch, reason=reason, note=note)
        last = keys[-1]


def revoke_user(
    user: Any,
    *,
    reason: str,
    by: AbstractBaseUser | None = None,
    note: str = "",
    keep: str | None = None,
) -> int:
    """End every session of a user, or of a queryset of users; return how many.

    `note` is an explanation by `by`. `keep` is the id of a session to leave out.
    """
    if not conf.LISTS_ENABLED:
        return 0
    if isinstance(user, models.QuerySet | models.Manager):
        user = user.using(None).values("pk")
    owner = "user" if isinstance(user, models.Model) else "user__in"
    sessions = OutstandingToken.objects.filter(**{owner: user})
    if keep is not None:
        sessions = sessions.exclude(session_id=keep)
    return revoke_sessions(sessions, reason=reason, by=by, note=note)


def _chosen(sessions: Any) -> OutstandingTokenQuerySet:
    """Return the sessions of a site's queryset or manager, in a form that can be locked."""
    return narrowed(sessions.all(), OutstandingTokenQuerySet(OutstandingToken))


def _values(reason: str, by: Any, note: str) -> dict[str, Any]:
    return {
        "token": models.F("pk"),
        "blacklisted_at": aware_now(),
        "reason": str(reason),
        "blacklisted_by": by.pk if by else None,
        "note": note,
    }


def _announced(key: int, session_id: str, user_id: Any, **values: Any) -> BlacklistedToken:
    """Return the record that was inserted with these values."""
    record = BlacklistedToken(pk=key, **{name: as_stored(at) for name, at in values.items()})
    record._state.adding, record._state.db = False, router.db_for_write(BlacklistedToken)
    token_blacklisted.announce(
        BlacklistedToken,
        session_id=session_id,
        user_id=user_id,
        reason=str(record.reason),
        by_id=record.blacklisted_by_id,
    )
    return record
