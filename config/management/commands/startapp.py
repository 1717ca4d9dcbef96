from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.commands import startapp


class Command(startapp.Command):
    help = f"{startapp.Command.help} Uses scripts/app_template, which passes `make lint`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(template=str(settings.BASE_DIR / "scripts" / "app_template"))
