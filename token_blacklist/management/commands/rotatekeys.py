from __future__ import annotations

import math
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import jwt
from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from ...conf import conf
from ...keys.folder import keys_of_folder
from ...keys.key import Key, key_of_options
from ...keys.key_set import KeySet, KeySetError, stored_set
from ...keys.rotation import (
    KINDS,
    Rotation,
    RotationError,
    add_keys,
    apply,
    apply_and_save,
    revoke_key,
    rotate_keys,
)

ANNOUNCED_FOR = 600  # seconds; twice as long as other services cache the public keys


class Command(BaseCommand):
    help = (
        "Make the next key of the key set, and drop keys whose tokens have all expired. Nobody "
        "is signed out. --revoke removes a leaked key at once, so that its tokens are refused."
    )
    # The checks fail without a key, and this command makes the first one.
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Accept an id that begins with a hyphen, which argparse would read as an option."""
        if "--revoke" in argv[:-1]:
            place = argv.index("--revoke")
            argv = [*argv[:place], f"--revoke={argv[place + 1]}", *argv[place + 2 :]]
        super().run_from_argv(argv)

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_mutually_exclusive_group()
        acts.add_argument("--list", action="store_true", help="Print the keys; change nothing.")
        acts.add_argument("--revoke", metavar="KID", help="Remove this key at once.")
        parser.add_argument(
            "--kind",
            choices=KINDS,
            help="The kind of the next key (default: that of the last key, or EdDSA).",
        )
        parser.add_argument(
            "--in",
            type=int,
            default=ANNOUNCED_FOR,
            dest="announced_for",
            metavar="SECONDS",
            help="When the next key begins to sign (default: %(default)s).",
        )
        parser.add_argument(
            "--print",
            action="store_true",
            help="Print the new key set, for KEYS, and write no file. Messages go to stderr.",
        )
        acts.add_argument(
            "--keep-signing-key",
            action="store_true",
            help="First add SIGNING_KEY, so that tokens that it signed stay valid.",
        )
        acts.add_argument(
            "--import",
            type=Path,
            dest="folder",
            metavar="FOLDER",
            help="Add the keys in a folder of an earlier version (KEYS_DIR); make none.",
        )

    def handle(self, **options: Any) -> None:
        if options["announced_for"] < 0:
            raise CommandError("--in must be 0 or more.")
        try:
            if options["list"]:
                self._list(stored_set())
            elif options["print"]:
                done = apply(partial(_act, options))
                self._report(done, self.stderr)
                self.stdout.write(done.keys.text())
            else:
                self._report(apply_and_save(partial(_act, options)), self.stdout)
        except RotationError as error:
            raise CommandError(str(error)) from error
        except KeySetError as error:
            raise CommandError(f"{error}.") from None

    def _report(self, done: Rotation, out: OutputWrapper) -> None:
        lines = [f"Added {_title(key)}." for key in done.added]
        if done.revoked:
            lines += [f"Revoked {done.revoked.kid}. What it signed is refused from now on."]
        if done.made:
            lines += [f"{_title(done.made)} signs from {_utc(done.made.starts)}."]
        if not (done.made or done.revoked or done.added):
            lines += ["The key set has what it needs already. No key was made."]
        lines += [f"Dropped {_title(key)}, whose tokens have all expired." for key in done.dropped]
        out.write("\n".join(lines))

    def _list(self, key_set: KeySet) -> None:
        now = time.time()
        for key in key_set.keys:
            self.stdout.write(f"{_title(key)} {_state(key, key_set, now)}.")
        if not key_set.keys:
            self.stdout.write("There is no key.")


def _act(options: dict[str, Any], before: KeySet) -> Rotation:
    """Return the change to the key set that the options of the command request."""
    if options["revoke"] is not None:  # not even an empty id may make a key instead
        return revoke_key(before, options["revoke"])
    if options["folder"]:
        return add_keys(before, keys_of_folder(options["folder"]))
    if options["keep_signing_key"]:
        try:
            signing_key = key_of_options(conf.ALGORITHM, conf.SIGNING_KEY).with_times(0)
        except (TypeError, ValueError, jwt.PyJWTError) as error:
            raise RotationError(f"SIGNING_KEY is unfit ({type(error).__name__}).") from None
        before = add_keys(before, [signing_key]).keys
    return rotate_keys(before, options["kind"], options["announced_for"])


def _state(key: Key, key_set: KeySet, now: float) -> str:
    if key.ends <= now:
        return f"expired at {_utc(key.ends)}"
    if key is key_set.find_signer(now):
        return "signs"
    if key.signing is not None and key.starts > now:
        return f"signs from {_utc(key.starts)}"
    return "verifies only" if key.ends == math.inf else f"verifies until {_utc(key.ends)}"


def _title(key: Key) -> str:
    return f"{key.algorithm} key {key.kid}"


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
