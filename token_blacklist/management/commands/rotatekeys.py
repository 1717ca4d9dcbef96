from __future__ import annotations

import math
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...key_ring import Key, KeyRing, current_ring
from ...key_rotation import KINDS, RotationError, revoke, rotate

ANNOUNCED_FOR = 600  # seconds; twice as long as other services keep the public keys


class Command(BaseCommand):
    help = (
        "Make the next key of the key ring, and delete keys whose tokens have all expired. Nobody "
        "is signed out. With --revoke, take a leaked key out at once: what it signed is refused."
    )
    # It makes the first key, without which the checks fail.
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Accept an id that begins with a hyphen, which argparse takes for an option."""
        if "--revoke" in argv[:-1]:
            place = argv.index("--revoke")
            argv = [*argv[:place], f"--revoke={argv[place + 1]}", *argv[place + 2 :]]
        super().run_from_argv(argv)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--list", action="store_true", help="Print the keys; change nothing.")
        parser.add_argument("--revoke", metavar="KID", help="Take this key out at once.")
        parser.add_argument(
            "--kind",
            choices=KINDS,
            help="The kind of the next key (default: that of the last one, or EdDSA).",
        )
        parser.add_argument(
            "--in",
            type=int,
            default=ANNOUNCED_FOR,
            dest="announced_for",
            metavar="SECONDS",
            help="When the next key begins to sign (default: %(default)s).",
        )

    def handle(self, **options: Any) -> None:
        if options["announced_for"] < 0:
            raise CommandError("--in must be 0 or more.")
        if options["list"]:
            self._list()
            return
        try:
            if options["revoke"]:
                done = revoke(options["revoke"])
            else:
                done = rotate(options["kind"], options["announced_for"])
        except RotationError as error:
            raise CommandError(str(error)) from error
        if done.revoked:
            self.stdout.write(f"Revoked {done.revoked.kid}. What it signed is refused from now on.")
        if done.made:
            self.stdout.write(f"{_title(done.made)} signs from {_time(done.made.starts)}.")
        elif not done.revoked:
            self.stdout.write("A key waits to sign already. No other was made.")
        for key in done.dropped:
            self.stdout.write(f"Deleted {_title(key)}, whose tokens have all expired.")

    def _list(self) -> None:
        ring, now = current_ring(), time.time()
        for key in ring.keys:
            self.stdout.write(f"{_title(key)} {_state(key, ring, now)}.")
        for problem in ring.problems:
            self.stdout.write(f"Unfit: {problem}.")
        if not ring.keys:
            self.stdout.write("There is no key.")


def _state(key: Key, ring: KeyRing, now: float) -> str:
    if key.ends <= now:
        return f"expired at {_time(key.ends)}"
    if key is ring.find_signer(now):
        return "signs"
    if key.private and key.starts > now:
        return f"signs from {_time(key.starts)}"
    return "verifies only" if key.ends == math.inf else f"verifies until {_time(key.ends)}"


def _title(key: Key) -> str:
    return f"{key.algorithm} key {key.kid}"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
