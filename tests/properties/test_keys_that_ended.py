"""An expired or revoked key never verifies again: random operations on a key set."""

from __future__ import annotations

import math
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import jwt
import pytest
import time_machine
from django.conf import settings as site
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.keys import add_key, new_key, signed_by
from token_blacklist import keys
from token_blacklist.exceptions import TokenError
from token_blacklist.keys import key_set
from token_blacklist.keys.jwks import public_keys
from token_blacklist.keys.key import Key
from token_blacklist.keys.key_set import current_set

pytestmark = pytest.mark.slow

HOUR, DAY = 3600, 24 * 3600
LIFETIME = DAY  # of the longest-lived token
PLACED = [-5 * DAY, -3 * DAY, -2 * DAY, -DAY, -HOUR, -1, 1, HOUR]
WHICH = st.sampled_from([-1, -1, -2, 0, 1])  # index of a key: mostly the signing one
EXAMPLES = int(os.environ.get("STORIES", "20"))
WRITES = ("rename", "replace", "unlink")


class Crash(BaseException):
    """The process is killed."""


class crash_before:  # noqa: N801  # reads as a statement
    """Crash before the nth rename or deletion of a file."""

    def __init__(self, nth: int) -> None:
        self.left = nth
        self.patches = [patch.object(Path, name, self.counted(name)) for name in WRITES]

    def counted(self, name):
        original = getattr(Path, name)

        def write(*args, **kwargs):
            self.left -= 1
            if self.left < 0:
                raise Crash
            return original(*args, **kwargs)

        return write

    def __enter__(self):
        for each in self.patches:
            each.start()

    def __exit__(self, kind, *_rest):
        for each in self.patches:
            each.stop()
        return kind is Crash


class KeySets(RuleBasedStateMachine):
    @initialize(
        placed=st.lists(st.sampled_from(PLACED), max_size=4, unique=True),
        leeway=st.sampled_from([0, 30, 0.5]),
    )
    def begin(self, placed, leeway):
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name, "keys.json")
        self.options = override_settings(
            TOKEN_BLACKLIST={
                **site.TOKEN_BLACKLIST,
                "KEYS_FILE": str(self.file),
                "REFRESH_TOKEN_LIFETIME": timedelta(seconds=LIFETIME),
                "LEEWAY": timedelta(seconds=leeway),
            }
        )
        self.options.enable()
        # Files have times of the real clock.
        self.unsettled = patch.object(key_set, "SETTLED_AFTER", math.inf)
        self.unsettled.start()
        self.disk = patch("os.fsync")  # a process crashes here, not the machine
        self.disk.start()
        self.clock = time_machine.travel(datetime.now(UTC), tick=False)
        self.time_traveler = self.clock.start()
        self.known: dict[str, Key] = {}
        self.ended: set[str] = set()
        self.revoked: set[str] = set()
        self.tokens: list[tuple[str, str, float]] = []
        for seconds in placed:
            self.place(seconds)

    def place(self, seconds):
        """Place a key by hand."""
        add_key(self.file, new_key("HS256", at=seconds))

    def teardown(self):
        if hasattr(self, "clock"):
            self.clock.stop()
            self.unsettled.stop()
            self.disk.stop()
            self.options.disable()
            self.folder.cleanup()

    @property
    def now(self):
        return timezone.now().timestamp()

    # Operations.

    @rule(announced_for=st.sampled_from([0, 1, 600, 3 * HOUR, 2 * DAY]))
    def rotate(self, announced_for):
        call_command("rotatekeys", "--in", str(announced_for), "--kind", "EdDSA", stdout=_Nowhere())

    @precondition(lambda self: current_set().keys)
    @rule(which=WHICH)
    def revoke(self, which):
        kid = self.choose(which)
        call_command("rotatekeys", f"--revoke={kid}", stdout=_Nowhere())
        self.revoked.add(kid)

    def choose(self, which):
        known = current_set().keys
        return known[which % len(known)].kid

    @precondition(lambda self: current_set().keys)
    @rule(which=WHICH, writes=st.integers(0, 5))
    def revoke_and_crash(self, which, writes):
        kid = self.choose(which)
        with crash_before(writes):
            call_command("rotatekeys", f"--revoke={kid}", stdout=_Nowhere())
        if current_set().find(kid) is None:
            self.revoked.add(kid)

    @rule(writes=st.integers(0, 5), announced_for=st.sampled_from([0, 600]))
    def rotate_and_crash(self, writes, announced_for):
        with crash_before(writes):
            self.rotate(announced_for)

    @rule(seconds=st.sampled_from([0.4, 1, 599, 600.7, HOUR, LIFETIME - 600]))
    def wait(self, seconds):
        self.time_traveler.shift(seconds)

    # In one step, because the next rotation drops an expired key.
    @precondition(lambda self: current_set().keys)
    @rule(which=WHICH, writes=st.sampled_from([0, 1, 2, 3, math.inf]))
    def rotate_and_revoke_after_the_end_of_a_key(self, which, writes):
        self.rotate(0)
        self.time_traveler.shift(LIFETIME + 60)
        self.no_key_verifies_that_had_ended_or_was_revoked()
        self.revoke_and_crash(which, writes)

    # Invariants after each step.

    @invariant()
    def no_key_verifies_that_had_ended_or_was_revoked(self):
        self.known |= {key.kid: key for key in current_set().keys}
        verifying = {kid for kid, key in self.known.items() if self.verifies(self.forged(key))}

        assert not verifying & (self.ended | self.revoked)
        assert {key["kid"] for key in public_keys()["keys"]} <= verifying
        self.ended |= self.known.keys() - verifying

    def forged(self, key):
        return signed_by(key, {"exp": int(self.now) + HOUR})

    def verifies(self, token):
        try:
            keys.decode(token)
        except TokenError:
            return False
        return True

    @precondition(lambda self: current_set().keys)
    @invariant()
    def one_key_signs_what_verifies_until_its_expiry(self):
        expires = int(self.now) + LIFETIME
        claims = {"iat": int(self.now), "exp": expires}
        token = keys.encode(claims)
        kid = jwt.get_unverified_header(token)["kid"]

        assert kid == jwt.get_unverified_header(keys.encode(claims))["kid"]
        self.tokens = [
            *((token, kid, expires) for token, kid, expires in self.tokens if self.now < expires),
            (token, kid, expires),
        ]
        for signed, by, _expires in self.tokens:
            assert self.verifies(signed) == (by not in self.revoked)


class _Nowhere:
    def write(self, _text):
        """Print nothing."""


def test_an_expired_or_revoked_key_never_verifies_again():
    run_state_machine_as_test(
        KeySets,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.reuse, Phase.generate),  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
