"""What happened to accounts lately: sign-ins and ends of sessions, copied from the sessions' rows.

A sign-in writes nothing more than its session. `collect` runs beside the requests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from token_blacklist.clients import network_of
from token_blacklist.models import BlacklistedToken, OutstandingToken

from . import report
from .deletion import keep_returned
from .devices import device_name
from .models import Activity, User

KEPT = timedelta(days=90)  # also how long a device is known to the account
LISTED = timedelta(days=30)
MAX_LISTED = 100
# A row has the time of its request, and is there when the request commits. A request is killed
# after 40 seconds, and the clocks of several machines differ a little.
OVERLAP = timedelta(minutes=2)
BATCH_SIZE = 500

Kind = Activity.Kind
Reason = BlacklistedToken.Reason
KINDS = {
    Reason.LOGOUT.value: Kind.SIGN_OUT,
    Reason.LOGOUT_ALL.value: Kind.SIGN_OUT,
    Reason.REUSE.value: Kind.REUSE,
    Reason.PASSWORD.value: Kind.PASSWORD,
    Reason.ADMIN.value: Kind.SUPPORT,
}
ALWAYS_TOLD = {Kind.REUSE, Kind.SUPPORT}
# When each device and each network of an account signed in last.
Seen = dict[Any, datetime]


def collect(now: datetime | None = None) -> int:
    """Copy what is new into `Activity`, and mark what the owner is told of; return how much.

    It can run again, and at the same time as another: each activity is stored once, and who stores
    it decides about the e-mail. The very first run copies the sessions of before without e-mails.
    """
    now = now or timezone.now()
    newest = Activity.objects.aggregate(at=Max("at"))["at"]
    told_since = now - OVERLAP if newest is None else None
    since = None if newest is None else min(newest, now) - OVERLAP
    new = merge(_sign_ins(since), _ends(since), key=attrgetter("at"))
    count = 0
    # In the order of time, so that a run that was killed has left nothing out.
    while batch := list(islice(new, BATCH_SIZE)):
        _mark(batch, told_since)
        Activity.objects.bulk_create(batch, ignore_conflicts=True)
        count += len(batch)
    keep_returned(now)
    return count


def purge(now: datetime | None = None) -> int:
    """Delete what is older than 90 days; return how many."""
    old = Activity.objects.filter(at__lt=(now or timezone.now()) - KEPT)
    return old.delete()[0]


def recent(user: User, now: datetime | None = None) -> QuerySet[Activity]:
    """Return what happened to the account in the last 30 days, the newest first, at most 100."""
    since = (now or timezone.now()) - LISTED
    return Activity.objects.filter(user=user, at__gte=since).order_by("-at", "-pk")[:MAX_LISTED]


def _sign_ins(since: datetime | None) -> Iterator[Activity]:
    """Yield the sign-ins that are not stored yet, in the order of time."""
    stored = Activity.objects.filter(session_id=OuterRef("session_id"), kind=Kind.SIGN_IN)
    sessions = OutstandingToken.objects.filter(~Exists(stored), user__isnull=False)
    fields = ("session_id", "created_at", "ip_address", "user_agent", "user__date_joined")
    for session in _in_order(sessions.select_related("user").only(*fields), "created_at", since):
        yield _activity(session, Kind.SIGN_IN, session.created_at, user=session.user)


def _ends(since: datetime | None) -> Iterator[Activity]:
    """Yield the ends of sessions that are not stored yet, in the order of time."""
    stored = Activity.objects.filter(session_id=OuterRef("token__session_id"))
    ended = BlacklistedToken.objects.filter(
        ~Exists(stored.exclude(kind=Kind.SIGN_IN)), token__user__isnull=False
    )
    for record in _in_order(ended.select_related("token"), "blacklisted_at", since):
        kind = KINDS.get(record.reason, Kind.ENDED)
        if kind == Kind.SIGN_OUT and record.note == report.NOTE:
            kind = Kind.REPORTED
        note = record.note if kind == Kind.SUPPORT else ""
        session = record.token
        yield _activity(session, kind, record.blacklisted_at, user_id=session.user_id, note=note)


def _in_order(rows: QuerySet[Any], time: str, since: datetime | None) -> Iterator[Any]:
    """Yield the rows in the order of the index on `time`, with a statement for each batch."""
    rows = rows.filter(**{f"{time}__isnull": False}).order_by(time, "pk")
    page = rows if since is None else rows.filter(**{f"{time}__gte": since})
    while found := list(page[:BATCH_SIZE]):
        yield from found
        if len(found) < BATCH_SIZE:
            break
        at = getattr(found[-1], time)
        same_time = Q(**{time: at}, pk__lte=found[-1].pk)
        page = rows.filter(**{f"{time}__gte": at}).exclude(same_time)


def _activity(session: OutstandingToken, kind: str, at: Any, **fields: Any) -> Activity:
    return Activity(
        kind=kind,
        at=at,
        session_id=session.session_id,
        ip_address=session.ip_address,
        user_agent=session.user_agent,
        **fields,
    )


def _mark(batch: list[Activity], told_since: datetime | None) -> None:
    """Mark what the owner is told of, except what is older than `told_since`."""
    sign_ins = [each for each in batch if each.kind == Kind.SIGN_IN]
    notify = settings.NOTIFY_SIGN_INS
    seen = _seen(sign_ins) if notify and sign_ins else defaultdict(dict)
    for each in batch:
        told = each.kind in ALWAYS_TOLD
        if notify and each.kind == Kind.SIGN_IN:
            told = _is_new(each, seen[each.user_id])
            _see(seen, each.user_id, each.user_agent, each.ip_address, each.at)
        if told and (told_since is None or each.at >= told_since):
            each.mail = Activity.Mail.WAITING


def _seen(sign_ins: list[Activity]) -> dict[Any, Seen]:
    """Return what the accounts have used, by user."""
    seen: dict[Any, Seen] = defaultdict(dict)
    stored = Activity.objects.filter(
        user__in={each.user_id for each in sign_ins},
        kind=Kind.SIGN_IN,
        at__gte=min(each.at for each in sign_ins) - KEPT,
    )
    used = stored.values("user", "user_agent", "ip_address").annotate(last=Max("at"))
    for row in used.order_by("last"):
        _see(seen, row["user"], row["user_agent"], row["ip_address"], row["last"])
    return seen


def _see(seen: dict[Any, Seen], user: Any, agent: str, address: str | None, at: datetime) -> None:
    seen[user].update(dict.fromkeys(_marks(agent, address), at))


def _marks(agent: str, address: str | None) -> Iterable[Any]:
    """Return the name of the device, and the network if it is known."""
    return [mark for mark in (device_name(agent), network_of(address)) if mark is not None]


def _is_new(sign_in: Activity, seen: Seen) -> bool:
    """Return whether a device or a network is new to the account, but not with its first sign-in.

    The first one of an account that is older than 90 days comes after a long time without any.
    """
    since = sign_in.at - KEPT
    lately = {mark for mark, at in seen.items() if at >= since}
    if not lately and sign_in.user.date_joined >= since:
        return False
    return not lately.issuperset(_marks(sign_in.user_agent, sign_in.ip_address))
