"""Flushing: deleting the sessions that are over, in small transactions that block nobody."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connections, router, transaction
from django.utils import timezone

from .models import BlacklistedToken, FlushRun, OutstandingToken
from .signals import tokens_flushed

BATCH_SIZE = 5_000


@dataclass(frozen=True)
class FlushReport:
    """What a flush deleted, in rows of each list."""

    outstanding: int = 0
    blacklisted: int = 0


def flush(*, batch_size: int = BATCH_SIZE) -> FlushReport:
    """Delete every session whose expiry plus leeway has passed, with its blacklist record.

    Safe at any time, any number of times and several at once: only tokens that are refused
    anyway are forgotten, and a row that another flush holds is left to it. Each run leaves
    a FlushRun, also one that fails.
    """
    run = FlushRun.objects.create(started_at=timezone.now())
    outcome = FlushRun.Outcome.FAILED
    try:
        while True:
            taken, outstanding, blacklisted = _flush_batch(batch_size)
            run.outstanding_deleted += outstanding
            run.blacklisted_deleted += blacklisted
            if taken < batch_size:
                break
        outcome = FlushRun.Outcome.DONE
    finally:
        run.outcome = outcome
        run.duration = timezone.now() - run.started_at
        run.save()
    tokens_flushed.announce(
        FlushRun, outstanding=run.outstanding_deleted, blacklisted=run.blacklisted_deleted
    )
    return FlushReport(run.outstanding_deleted, run.blacklisted_deleted)


def _flush_batch(size: int) -> tuple[int, int, int]:
    """Delete the oldest batch; return how many sessions it took, and what it deleted."""
    using = router.db_for_write(OutstandingToken)
    skip_locked = connections[using].features.has_select_for_update_skip_locked
    with transaction.atomic(using):
        expired = OutstandingToken.objects.using(using).expired(timezone.now())
        ids = list(
            expired.select_for_update(skip_locked=skip_locked)
            .order_by("expires_at")
            .values_list("pk", flat=True)[:size]
        )
        if not ids:
            return 0, 0, 0
        # Raw deletes: Django's own would load the rows to look for what depends on them.
        blacklisted = BlacklistedToken.objects.filter(token__in=ids)._raw_delete(using)
        outstanding = OutstandingToken.objects.filter(pk__in=ids)._raw_delete(using)
    return len(ids), outstanding, blacklisted
