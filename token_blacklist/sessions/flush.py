"""Flushing: expired sessions are deleted in short transactions that block no request."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, router, transaction
from django.db.models import (
    DO_NOTHING,
    BooleanField,
    ExpressionWrapper,
    F,
    ProtectedError,
    QuerySet,
    RestrictedError,
)
from django.db.models.expressions import RawSQL
from django.db.models.signals import post_delete, pre_delete

from ..conf import conf
from ..exceptions import ClockError
from ..models import (
    MAX_PARAMETERS,
    BlacklistedToken,
    FlushRun,
    OutstandingToken,
    OutstandingTokenQuerySet,
)
from ..signals import tokens_flushed
from ..utils import TimeField, aware, aware_now

logger = logging.getLogger(__name__)

BATCH_SIZE = 5_000
LARGEST_BATCH = MAX_PARAMETERS
CLOCKS_MAY_DIFFER = timedelta(minutes=5)
SAVE_INTERVAL = 5.0  # seconds; the counts of a killed run are at most this old
INTERRUPTED_AFTER = timedelta(minutes=1)  # since the last save
# Each returns how long a session is kept after it has expired. services/options.py adds one.
kept_after_expiry: list[Callable[[], timedelta]] = []


@dataclass(frozen=True)
class FlushReport:
    """The rows that a flush deleted from each list, and its outcome."""

    outstanding: int
    blacklisted: int
    outcome: FlushRun.Outcome
    seconds: float


@dataclass(frozen=True)
class Batch:
    """The rows that one transaction locked and deleted. `until` is their latest expiry."""

    taken: int = 0
    outstanding: int = 0
    blacklisted: int = 0
    until: datetime | None = None
    is_last: bool = False


def to_flush(now: datetime | None = None) -> OutstandingTokenQuerySet:
    """Return the sessions that a flush deletes."""
    kept = max((time() for time in kept_after_expiry), default=timedelta(0))
    return OutstandingToken.objects.expired((now or aware_now()) - kept)


def flush_time() -> datetime:
    """Return the time that decides what has expired: the earlier of two clocks.

    Deleted rows cannot be restored, so a clock that is ahead must not decide alone.

    Raises:
        ClockError: the clocks of the application and of the database differ by minutes.
    """
    here = aware_now()
    there = database_time()
    if there is None:
        return here
    if abs(here - there) > CLOCKS_MAY_DIFFER:
        raise ClockError(here, there)
    return min(here, there)


def database_time() -> datetime | None:
    """Return the time of the database server. None on SQLite, which has no clock of its own."""
    connection = connections[router.db_for_write(OutstandingToken)]
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return aware(cursor.fetchone()[0])


def last_flush() -> FlushRun | None:
    """Return the last flush that finished."""
    return FlushRun.objects.filter(outcome=FlushRun.Outcome.DONE).order_by("-started_at").first()


def is_overdue() -> bool:
    """Return whether expired rows have remained for more than FLUSH_OVERDUE_AFTER. Two queries."""
    oldest = to_flush().order_by("expires_at").values_list("expires_at", flat=True).first()
    return oldest is not None and is_late(oldest, last_flush())


def is_late(oldest: datetime, last: FlushRun | None) -> bool:
    """Return whether a flush is overdue if the oldest row expired then, and `last` was the last."""
    since = aware_now() - conf.FLUSH_OVERDUE_AFTER
    return aware(oldest) <= since and (last is None or aware(last.started_at) < since)


def delete_expired(
    *,
    batch_size: int = BATCH_SIZE,
    max_seconds: float | None = None,
    pause: float = 0,
    stop: threading.Event | None = None,
    after_batch: Callable[[int], object] = lambda taken: None,
) -> FlushReport:
    """Delete every session whose expiry plus leeway has passed, with its blacklist record.

    At most `batch_size` sessions per transaction, with `pause` seconds in between: oldest first,
    or page by page if PostgreSQL has expired rows on most pages. If another model points to these
    rows, Django deletes them in order of their keys, as its `on_delete` says; a session that it
    protects stays.

    It is safe at any time, repeatedly and in parallel: the tokens of deleted rows are refused
    anyway, and rows that another flush has locked are skipped. It stops early after
    `max_seconds` or once `stop` is set, always after a whole batch. `after_batch` is called with
    the size of each batch. Every run leaves a FlushRun, even if it fails or is killed.

    Raises:
        ValueError: `batch_size` is not from 1 to LARGEST_BATCH.
        ClockError: a clock is wrong. Nothing was deleted.
        django.db.Error: the database failed. Earlier batches stay deleted.
    """
    if not 1 <= batch_size <= LARGEST_BATCH:
        raise ValueError(f"batch_size is not from 1 to {LARGEST_BATCH}.")
    stop = stop or threading.Event()
    started = time.monotonic()
    latest = started + (float("inf") if max_seconds is None else max_seconds)
    now = flush_time()
    _mark_interrupted(now)
    run = FlushRun.objects.create(started_at=now)
    saved = started
    outcome = FlushRun.Outcome.FAILED
    try:
        for batch in _batches(batch_size, now):
            run.outstanding_deleted += batch.outstanding
            run.blacklisted_deleted += batch.blacklisted
            if time.monotonic() - saved >= SAVE_INTERVAL:
                saved = time.monotonic()
                run.duration = timedelta(seconds=saved - started)
                run.save()
            after_batch(batch.taken)
            if batch.is_last:
                outcome = FlushRun.Outcome.DONE
                break
            # Stop instead of a pause that would exceed the time limit.
            if time.monotonic() + pause >= latest:
                outcome = FlushRun.Outcome.OUT_OF_TIME
            elif _stopped_during(pause, stop):
                outcome = FlushRun.Outcome.STOPPED
            else:
                continue
            if not to_flush(now).for_write().exists():
                outcome = FlushRun.Outcome.DONE
            break
    finally:
        run.outcome = outcome
        run.duration = timedelta(seconds=time.monotonic() - started)
        run.save()
    tokens_flushed.announce(
        FlushRun, outstanding=run.outstanding_deleted, blacklisted=run.blacklisted_deleted
    )
    seconds = time.monotonic() - started
    return FlushReport(run.outstanding_deleted, run.blacklisted_deleted, outcome, seconds)


def _mark_interrupted(now: datetime) -> None:
    """Mark runs that were killed: still running, but not saved for a while.

    A run that is only slow corrects this with its next save.
    """
    last_saved = ExpressionWrapper(F("started_at") + F("duration"), output_field=TimeField())
    FlushRun.objects.filter(outcome=FlushRun.Outcome.RUNNING).alias(last_saved=last_saved).filter(
        last_saved__lt=now - INTERRUPTED_AFTER
    ).update(outcome=FlushRun.Outcome.INTERRUPTED)


def _stopped_during(pause: float, stop: threading.Event) -> bool:
    """Sleep; return whether `stop` was set, at most a tenth of a second later.

    Event.wait() holds a lock that the event's set() needs. A signal handler runs in the thread that
    it interrupts, so a handler that sets the event would wait for that lock forever.
    """
    end = time.monotonic() + pause
    while not stop.is_set() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
    return stop.is_set()


def _batches(size: int, now: datetime) -> Iterator[Batch]:
    """Delete the expired sessions, one batch per step."""
    using = router.db_for_write(OutstandingToken)
    if _has_dependents():
        return _by_django(size, now, using)
    if connections[using].vendor == "postgresql" and (pages := _pages_to_sweep(now, using)):
        return _page_by_page(size, pages, now, using)
    return _oldest_first(size, now, using)


def _has_dependents() -> bool:
    """Return whether Django does more than delete the rows of the two lists.

    It does if another app points to them with a key, or receives the signals of a deletion.
    """
    own = BlacklistedToken._meta.get_field("token").remote_field
    for model in (OutstandingToken, BlacklistedToken):
        if pre_delete.has_listeners(model) or post_delete.has_listeners(model):
            return True
        if any(hasattr(field, "bulk_related_objects") for field in model._meta.private_fields):
            return True  # a GenericRelation
        for field in model._meta.get_fields(include_hidden=True):
            on_delete = getattr(field, "on_delete", None)
            points_here = field.auto_created and not field.concrete and on_delete is not None
            if points_here and field is not own and on_delete is not DO_NOTHING:
                return True
    return False


def _by_django(size: int, now: datetime, using: str) -> Iterator[Batch]:
    """Delete in order of the keys, with what other models have beside the rows."""
    skip_locked = connections[using].features.has_select_for_update_skip_locked
    last, kept, ids = 0, 0, [0] * size
    while len(ids) == size:
        rows = to_flush(now).using(using).filter(pk__gt=last).order_by("pk")
        with transaction.atomic(using):
            lockable = rows.select_for_update(skip_locked=skip_locked)
            ids = list(lockable.values_list("pk", flat=True)[:size])
            deleted = _delete_unprotected(ids, using)
        last = ids[-1] if ids else last
        outstanding = deleted[OutstandingToken._meta.label]
        blacklisted = deleted[BlacklistedToken._meta.label]
        kept += len(ids) - outstanding
        yield Batch(len(ids), outstanding, blacklisted, is_last=len(ids) < size)
    if kept:
        logger.warning("%d expired sessions stay, because rows of other models protect them", kept)


def _delete_unprotected(ids: list[int], using: str) -> Counter[str]:
    """Delete the sessions, except those that PROTECT or RESTRICT of another model keeps.

    Return the number of deleted rows of each model.
    """
    try:
        with transaction.atomic(using):
            sessions = OutstandingToken.objects.using(using).filter(pk__in=ids)
            return Counter(sessions.delete()[1])
    except (ProtectedError, RestrictedError):
        half = len(ids) // 2
        parts = (ids[:half], ids[half:]) if half else ()
        return sum((_delete_unprotected(part, using) for part in parts), Counter())


def _oldest_first(size: int, now: datetime, using: str) -> Iterator[Batch]:
    """Delete in the order of the index on `expires_at`."""
    rows = to_flush(now).order_by("expires_at")
    batch = _delete(rows[:size], using)
    while batch.taken == size:
        yield batch
        # From where the last batch ended: the index still has entries of deleted rows before it.
        batch = _delete(rows.filter(expires_at__gte=batch.until)[:size], using)
    yield replace(batch, is_last=True)


def _page_by_page(size: int, pages: int, now: datetime, using: str) -> Iterator[Batch]:
    """Delete in the order of the table, so that each page is changed once.

    PostgreSQL writes a whole page to the WAL at its first change after a checkpoint. In the order
    of expiry, almost every row is on another page: 7 kB of WAL per row instead of 0.4 kB (measured
    with 600,000 rows in random order, max_wal_size 128 MB).
    """
    start, width, taken = 0, max(1, size // 50), 0
    while start < pages:
        within = RawSQL(
            "ctid >= %s::tid AND ctid < %s::tid",
            [f"({start},0)", f"({start + width},0)"],
            BooleanField(),
        )
        batch = _delete(to_flush(now).filter(within)[:size], using)
        taken += batch.taken
        if batch.taken == size:  # there may be more on these pages
            yield batch
            continue
        start += width
        if batch.taken or start >= pages:
            yield replace(batch, is_last=start >= pages)
        # The number of pages that would have filled one batch.
        width, taken = max(1, min(2 * width, width * size // (taken + 1))), 0


def _pages_to_sweep(now: datetime, using: str) -> int:
    """Return the number of pages of the table, or 0 if most have no expired row."""
    query, params = to_flush(now).using(using).values("pk").query.get_compiler(using).as_sql()
    table = connections[using].ops.quote_name(OutstandingToken._meta.db_table)
    compare = (
        f"SELECT pages, (SELECT count(*) FROM ({query} LIMIT pages) AS expired) FROM"  # noqa: S608  # Django's
        " (SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int) AS t (pages)"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(compare, [*params, table])
        pages, expired = cursor.fetchone()
    return int(pages) if expired >= pages else 0


def _delete(rows: OutstandingTokenQuerySet, using: str) -> Batch:
    """Lock the rows, except those that another flush has locked, and delete them."""
    skip_locked = connections[using].features.has_select_for_update_skip_locked
    lockable = rows.using(using).select_for_update(skip_locked=skip_locked)
    locked = lockable.values_list("pk", "expires_at")
    with transaction.atomic(using):
        if connections[using].vendor == "postgresql":
            return _delete_there(locked, using)
        found = list(locked)
        if not found:
            return Batch()
        ids = [pk for pk, _expires_at in found]
        # Raw: Django would load the rows to look for others that depend on them.
        blacklisted = BlacklistedToken.objects.filter(token__in=ids)._raw_delete(using)
        outstanding = OutstandingToken.objects.filter(pk__in=ids)._raw_delete(using)
    return Batch(len(ids), outstanding, blacklisted, aware(found[-1][1]))


def _delete_there(rows: QuerySet[Any], using: str) -> Batch:
    """Delete the rows on PostgreSQL, with their ids as one array that the client never reads.

    Django's way, with a parameter for each id, takes 4 to 10 times as long: 8 seconds for 200,000
    rows instead of 2 in order of expiry and 0.8 page by page. Separate statements, so that the
    second sees blacklist records committed before the locks.
    """
    query, params = rows.query.get_compiler(using).as_sql()
    lock = (
        "SELECT count(*), max(expires_at), array_agg(id ORDER BY id)::text"  # noqa: S608  # Django's
        f" FROM ({query}) AS oldest (id, expires_at)"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(lock, params)
        taken, until, ids = cursor.fetchone()
        if not taken:
            return Batch()
        deleted = []
        for model, column in ((BlacklistedToken, "token_id"), (OutstandingToken, "id")):
            table = connections[using].ops.quote_name(model._meta.db_table)
            delete = f"DELETE FROM {table} WHERE {column} = ANY(%s::bigint[])"  # noqa: S608  # names
            cursor.execute(delete, [ids])
            deleted.append(cursor.rowcount)
    blacklisted, outstanding = deleted
    return Batch(taken, outstanding, blacklisted, aware(until))
