from __future__ import annotations

import json
import logging
import math
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from ...exceptions import ClockError
from ...models import BlacklistedToken, FlushRun
from ...sessions import flush

EXIT_ROWS_LEFT = 3  # the exit code of a run that stopped early


def seconds(given: Any) -> float:
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ArgumentTypeError("must be a number of seconds, 0 or more.")
    return value


class Command(BaseCommand):
    help = (
        "Delete expired tokens from the outstanding list and the blacklist. Run it once a day. "
        "It is safe to run at any time, repeatedly and in parallel, and to interrupt. "
        "Exit codes: 0 finished, 1 failed, 3 stopped early with rows remaining."
    )
    # So that it runs even if another setting is wrong, and does not load the site's pages.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--batch-size",
            type=int,
            default=flush.BATCH_SIZE,
            metavar="ROWS",
            help="Sessions to delete per transaction (default: %(default)s).",
        )
        parser.add_argument(
            "--max-seconds",
            type=seconds,
            metavar="SECONDS",
            help="Stop after the batch in which this time limit is reached.",
        )
        parser.add_argument(
            "--pause",
            type=seconds,
            default=0.0,
            metavar="SECONDS",
            help="Wait between two batches, to reduce the load on the database.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Print the number of rows; delete nothing."
        )
        parser.add_argument(
            "--json", action="store_true", help="Print the result as a JSON object."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        options |= _checked(options)
        try:
            if options["dry_run"]:
                self._count(as_json=options["json"])
            else:
                with only_warnings(options["verbosity"] == 0):
                    self._flush(options)
        except ClockError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"Database error: {str(error).strip()}. "
                "Check DATABASE_URL, run migrate, and try again. No session was partly deleted."
            ) from error

    def _count(self, *, as_json: bool) -> None:
        rows = flush.to_flush(flush.flush_time())
        outstanding = rows.count()
        blacklisted = BlacklistedToken.objects.filter(token__in=rows).count()
        if as_json:
            self._print_json(outcome="dry_run", outstanding=outstanding, blacklisted=blacklisted)
        else:
            self.stdout.write(
                f"Would delete {outstanding} expired tokens and {blacklisted} blacklist records."
            )

    def _flush(self, options: dict[str, Any]) -> None:
        with stopped_by_signals() as stop:
            report = flush.delete_expired(
                batch_size=options["batch_size"],
                max_seconds=options["max_seconds"],
                pause=options["pause"] or 0.0,
                stop=stop,
            )
        is_done = report.outcome == FlushRun.Outcome.DONE
        left = 0 if is_done else flush.to_flush().count()
        if options["json"]:
            self._print_json(
                outcome=report.outcome.value,
                outstanding=report.outstanding,
                blacklisted=report.blacklisted,
                left=left,
                seconds=round(report.seconds, 3),
            )
        elif options["verbosity"] > 0 or not is_done:
            style = self.style.SUCCESS if is_done else self.style.WARNING
            self.stdout.write(
                style(
                    f"Deleted {report.outstanding} expired tokens and {report.blacklisted} "
                    f"blacklist records in {report.seconds:.1f} s."
                )
            )
        if not is_done:
            why = "Stopped" if report.outcome == FlushRun.Outcome.STOPPED else "Out of time"
            rest = f"{why}: {left} remain. Run the command again."
            raise CommandError(rest, returncode=EXIT_ROWS_LEFT)

    def _print_json(self, **facts: Any) -> None:
        self.stdout.write(json.dumps(facts))


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers. `call_command` passes what it is given, and no argparse checks it."""
    checked: dict[str, Any] = {}
    for name in ("max_seconds", "pause"):
        try:
            checked[name] = None if options[name] is None else seconds(options[name])
        except ArgumentTypeError as error:
            raise CommandError(f"--{name.replace('_', '-')} {error}") from error
    size = options["batch_size"]
    size = int(size) if isinstance(size, str) and size.isdecimal() else size
    if not (isinstance(size, int) and 1 <= size <= flush.LARGEST_BATCH):
        raise CommandError(f"--batch-size must be from 1 to {flush.LARGEST_BATCH}.")
    return checked | {"batch_size": size}


@contextmanager
def only_warnings(is_quiet: bool) -> Iterator[None]:
    """If `is_quiet`, log only warnings and errors, because cron mails all output."""
    before = logging.root.manager.disable
    if is_quiet:
        logging.disable(max(before, logging.INFO))
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set instead of ending the process."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # Python allows signal handlers only in the main thread
        return
    names = (signal.SIGTERM, signal.SIGINT)
    before = {name: signal.signal(name, lambda *_args: stop.set()) for name in names}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
