from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import background, outbox


class Command(BaseCommand):
    help = (
        "Write e-mails about what happened to accounts, and send all that wait. Run it every "
        "minute where EMAILS_SENT_BY=scheduler. Safe to run at any time and any number of times."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        started_at = timezone.now()
        if not background.run_once():
            raise CommandError("A step failed. The log has the error.")
        if count := outbox.failed().filter(last_updated__gte=started_at).count():
            raise CommandError(f"E-mails that could not be sent: {count}. The admin lists them.")
