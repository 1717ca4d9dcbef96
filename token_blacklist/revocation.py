"""Ending many sessions at once: a user's, or any other selection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from .conf import conf
from .models import BlacklistedToken, OutstandingToken, OutstandingTokenQuerySet


def revoke_sessions(
    sessions: OutstandingTokenQuerySet,
    *,
    reason: str,
    by: AbstractBaseUser | None = None,
    note: str = "",
) -> int:
    """End every live session of the queryset; return how many this call ended.

    At once, for refresh and access tokens, and for good. `reason` is a
    `BlacklistedToken.Reason`, `by` the user who did it, `note` what that user says of it.
    """
    return BlacklistedToken.objects.insert_all(sessions.live(), reason=reason, by=by, note=note)


def revoke_in_batches(
    sessions: OutstandingTokenQuerySet, *, reason: str, note: str = "", batch_size: int = 5_000
) -> Iterator[int]:
    """End every live session of the queryset, however many; give how many each batch ended.

    In short transactions: what was ended stays ended where it is stopped, and the same again
    does the rest. For a person's sessions, or a page of the admin, `revoke_sessions` is at once.
    """
    last = 0
    while keys := list(
        sessions.live().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch_size]
    ):
        batch = OutstandingToken.objects.filter(pk__in=keys)
        yield revoke_sessions(batch, reason=reason, note=note)
        last = keys[-1]


def revoke_user(
    user: Any, *, reason: str, by: AbstractBaseUser | None = None, keep: str | None = None
) -> int:
    """End every session of the user, but for the one whose id is `keep`; return how many.

    `user` may be a queryset of users as well.
    """
    if not conf.LISTS_ENABLED:
        return 0
    owner = "user" if isinstance(user, AbstractBaseUser) else "user__in"
    sessions = OutstandingToken.objects.filter(**{owner: user})
    if keep is not None:
        sessions = sessions.exclude(session_id=keep)
    return revoke_sessions(sessions, reason=reason, by=by)
