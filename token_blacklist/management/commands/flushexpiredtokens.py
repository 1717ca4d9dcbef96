from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from ... import retention


class Command(BaseCommand):
    help = (
        "Delete expired tokens from the outstanding list and the blacklist. Run it daily; "
        "it is safe at any time and any number of times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--batch-size",
            type=int,
            default=retention.BATCH_SIZE,
            help="Sessions to delete in one transaction (default: %(default)s).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch_size"] < 1:
            raise CommandError("--batch-size must be 1 or more.")
        try:
            report = retention.flush(batch_size=options["batch_size"])
        except DatabaseError as error:
            raise CommandError(
                f"The database refused the flush: {str(error).strip()}. "
                "Check DATABASE_URL, run migrate, and try again: nothing was half deleted."
            ) from error
        self.stdout.write(
            self.style.SUCCESS(
                f"Deleted {report.outstanding} expired tokens "
                f"and {report.blacklisted} blacklist records."
            )
        )
