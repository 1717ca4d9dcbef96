from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connections, router
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ...clients import normal_address
from ...models import BlacklistedToken, OutstandingToken, OutstandingTokenQuerySet
from ...sessions.end import revoke_in_batches


class Command(BaseCommand):
    help = (
        "Revoke all sessions that match every given condition. After restoring a backup, revoke "
        "the sessions opened before the restore, because the backup does not contain later "
        "sign-outs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--before",
            metavar="TIME",
            help="Signed in before this time, such as 2026-01-31T13:00Z. UTC if it has no offset.",
        )
        parser.add_argument("--user", help="Of this user: the login name or the primary key.")
        parser.add_argument("--ip", metavar="ADDRESS", help="Last used from this IP address.")
        parser.add_argument("--all", action="store_true", help="All sessions of all users.")
        parser.add_argument("--note", default="", help="A reason to show in the admin.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Print the number of sessions; revoke nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        conditions = [options[name] for name in ("before", "user", "ip")]
        if options["all"] == any(value is not None for value in conditions):
            raise CommandError("Give at least one of --before, --user and --ip, or --all alone.")
        if len(options["note"]) > 255:
            raise CommandError("--note is longer than 255 characters.")
        try:
            sessions = self._selected(options)
            if options["dry_run"]:
                self.stdout.write(f"Would revoke {_sessions(sessions.live().count())}.")
                return
            self._end(sessions, options["note"])
        except DatabaseError as error:
            raise CommandError(
                f"Database error: {str(error).strip()}. Run the command again; sessions that were "
                "revoked stay revoked."
            ) from error

    def _end(self, sessions: OutstandingTokenQuerySet, note: str) -> None:
        count = 0
        try:
            self._analyze()
            for ended in revoke_in_batches(
                sessions, reason=BlacklistedToken.Reason.ADMIN, note=note
            ):
                count += ended
        except KeyboardInterrupt:
            raise CommandError(
                f"Stopped after {_sessions(count)}. Run the command again for the rest."
            ) from None
        self.stdout.write(self.style.SUCCESS(f"Revoked {_sessions(count)}."))

    def _analyze(self) -> None:
        """Update PostgreSQL's statistics. After a restore, it would plan for empty tables."""
        connection = connections[router.db_for_write(BlacklistedToken)]
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            for model in (OutstandingToken, BlacklistedToken):
                cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")

    def _selected(self, options: dict[str, Any]) -> OutstandingTokenQuerySet:
        sessions = OutstandingToken.objects.all()
        if options["before"] is not None:
            # Records without a time are from before times were stored.
            before = _parsed_time(options["before"])
            sessions = sessions.filter(Q(created_at__lt=before) | Q(created_at=None))
        if options["user"] is not None:
            sessions = sessions.filter(user=_user(options["user"]))
        if options["ip"] is not None:
            sessions = sessions.filter(ip_address=_address(options["ip"]))
        return sessions


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"


# `call_command` passes values of any type.
def _parsed_time(given: Any) -> datetime:
    try:
        time = given if isinstance(given, datetime) else parse_datetime(given)
    except (ValueError, TypeError):
        time = None
    if time is None:
        raise CommandError("--before is not a valid time. Example: 2026-01-31T13:00Z")
    return time if timezone.is_aware(time) else time.replace(tzinfo=UTC)


def _user(given: Any) -> Any:
    users, text = get_user_model()._default_manager, str(given)
    if isinstance(given, get_user_model()):
        return given
    if not text.isprintable():  # no database stores such strings
        raise CommandError("--user does not match any user.")
    try:
        return users.get_by_natural_key(text)
    except (get_user_model().DoesNotExist, ValidationError, ValueError):
        pass  # ValueError: the user name is a number, and the text is none
    try:
        user = users.filter(pk=get_user_model()._meta.pk.clean(text, None)).first()
    except ValidationError:
        user = None
    if user is None:
        raise CommandError("--user does not match any user.")
    return user


def _address(given: Any) -> str:
    try:
        return normal_address(str(given))
    except ValueError:
        raise CommandError("--ip is not a valid IP address.") from None
