from __future__ import annotations

import re
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.models import User, verify

PASSWORD = "demo-password"  # noqa: S105  # public, so only used in DEBUG
USERS: dict[str, dict[str, Any]] = {
    "demo@example.com": {"name": "Demo"},
    "admin@example.com": {"name": "Admin", "is_staff": True, "is_superuser": True},
}


class Command(BaseCommand):
    help = (
        "Migrate the development database, create missing demo users unless DEMO_USERS is off, "
        "and print the URLs. Refuses to run outside DEBUG. Called by `make run`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", default="8000", help="The port of the development server.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo users are for DEBUG only. Use `manage.py createsuperuser`.")
        port = self._free(str(options["port"]))
        call_command("migrate", verbosity=0, interactive=False)
        if settings.DEMO_USERS:
            self._make_users()
            sign_in = f"{' or '.join(USERS)}, password {PASSWORD}"
        elif User.objects.exists():
            sign_in = "as one of your users"
        else:
            sign_in = "as a user you create: .venv/bin/python manage.py createsuperuser"
        site = f"http://localhost:{port}"
        self.stdout.write(
            f"\n  Home     {site}/"
            f"\n  API      {site}/api/docs/"
            f"\n  Admin    {site}{reverse('admin:index')}"
            f"\n  Sign in  {sign_in}"
            "\n  Stop     Ctrl-C\n\n"
        )

    def _make_users(self) -> None:
        for email, fields in USERS.items():
            if not User.objects.filter(email=email).exists():
                verify(User.objects.create_user(email, PASSWORD, **fields))

    def _free(self, given: str) -> int:
        port = int(given) if re.fullmatch("[0-9]{1,5}", given) else 0
        if not 0 < port < 65536:
            raise CommandError(f"'{given}' is not a valid port. Try: make run PORT=8001")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} is not available ({error.strerror}). Stop the program that uses "
                    f"it, or choose another port: make run PORT={port % 65535 + 1}"
                ) from error
        return port
