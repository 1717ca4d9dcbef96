from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ...models import BlacklistedToken, OutstandingToken, OutstandingTokenQuerySet
from ...revocation import revoke_in_batches
from ...signals import signed_out_everywhere


class Command(BaseCommand):
    help = (
        "End sessions, at once and for good: those that meet all of the conditions. After a "
        "restore, end all that were signed in before it: a sign-out made since the backup is "
        "not in it. Sessions that the site keeps elsewhere, such as those of the admin, end too, "
        "unless --ip is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--before",
            metavar="TIME",
            help="Signed in before this time, like 2026-01-31T13:00Z; UTC where it names no zone.",
        )
        parser.add_argument("--user", help="Of this person: what they sign in with, or their id.")
        parser.add_argument("--ip", metavar="ADDRESS", help="Last seen from this IP address.")
        parser.add_argument("--all", action="store_true", help="Everybody's, with no condition.")
        parser.add_argument("--note", default="", help="Why, for whoever looks at the list later.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say how many there are and end none."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        conditions = [options[name] for name in ("before", "user", "ip")]
        if options["all"] == any(value is not None for value in conditions):
            raise CommandError("Say which: --before, --user, --ip, or several; or --all alone.")
        if len(options["note"]) > 255:
            raise CommandError("--note is longer than 255 characters.")
        try:
            sessions = self._selected(options)
            if options["dry_run"]:
                self.stdout.write(f"Would end {sessions.live().count()} sessions.")
                return
            if options["ip"] is None:  # of the others, no address is recorded
                signed_out_everywhere.send(OutstandingToken, users=self._people(options["user"]))
            self._end(sessions, options["note"])
        except DatabaseError as error:
            raise CommandError(
                f"The database failed: {str(error).strip()}. Do the same again: what was ended "
                "stays ended."
            ) from error

    def _end(self, sessions: OutstandingTokenQuerySet, note: str) -> None:
        count = 0
        try:
            for ended in revoke_in_batches(
                sessions, reason=BlacklistedToken.Reason.ADMIN, note=note
            ):
                count += ended
        except KeyboardInterrupt:
            raise CommandError(
                f"Stopped after {count} sessions. Do the same again for the rest."
            ) from None
        self.stdout.write(self.style.SUCCESS(f"Ended {count} sessions."))

    def _people(self, given: str | None) -> Any:
        """Return the users whose sessions outside this app's lists end too."""
        users = get_user_model()._default_manager.all()
        return users if given is None else users.filter(pk=_person(given).pk)

    def _selected(self, options: dict[str, Any]) -> OutstandingTokenQuerySet:
        sessions = OutstandingToken.objects.all()
        if options["before"] is not None:
            # A record without a time is older than the times.
            before = _moment(options["before"])
            sessions = sessions.filter(Q(created_at__lt=before) | Q(created_at=None))
        if options["user"] is not None:
            sessions = sessions.filter(user=_person(options["user"]))
        if options["ip"] is not None:
            sessions = sessions.filter(ip_address=_address(options["ip"]))
        return sessions


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError("--before is no time like 2026-01-31T13:00Z.")
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)


def _person(text: str) -> Any:
    users = get_user_model()._default_manager
    if not text.isprintable():  # bytes that no database takes as a text
        raise CommandError("--user is nobody here.")
    try:
        return users.get_by_natural_key(text)
    except get_user_model().DoesNotExist:
        pass
    try:
        person = users.filter(pk=get_user_model()._meta.pk.clean(text, None)).first()
    except ValidationError:
        person = None
    if person is None:
        raise CommandError("--user is nobody here.")
    return person


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise CommandError("--ip is no IP address.") from None
