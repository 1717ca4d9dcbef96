"""A refused token never works again: random operations on sessions, compared with a model.

The model has each session's generation and times, and whether it was revoked. Every response of
the API must be the one that the model predicts.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
import time_machine
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.devices import Device
from tests.support.factories import UserFactory
from tests.support.parts import only_with
from token_blacklist import keys
from token_blacklist.conf import conf
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions import flush
from token_blacklist.tokens import UntypedToken

pytestmark = pytest.mark.slow

HOUR = 3600
LEEWAY = 30
# Addresses and user agents by client. The first is repeated, so that most runs have one client.
HOME = ("198.51.100.7", "Phone/1.0")
CLIENTS = (HOME, HOME, HOME, ("198.51.100.99", "Tab/1.0"), ("203.0.113.9", "Phone/1.0"))
ATTACKER = ("203.0.113.66", "Thief/6.6")
ANY_CLIENT = st.sampled_from((*CLIENTS, ATTACKER))
START = datetime(2030, 1, 1, tzinfo=UTC)
ANY = st.integers(0, 1_000)
SELDOM = st.integers(0, 9)  # happens on 0: revoking every session makes a run short
EXAMPLES = int(os.environ.get("STORIES", "25"))


@dataclass
class Session:
    """The model of a session. Times are in seconds since 1970."""

    kind: str
    user_id: int
    tokens: list[str]
    access: list[str] = field(default_factory=list)
    refreshed_at: float = 0
    client: tuple[str, str] = HOME  # that refreshed last
    row_expires_at: float = 0
    has_row: bool = True
    ended: bool = False


def headers(client: tuple[str, str]) -> dict[str, str]:
    address, agent = client
    return {"REMOTE_ADDR": address, "HTTP_USER_AGENT": agent}


class SessionMachine(RuleBasedStateMachine):
    steps: ClassVar[Counter[str]] = Counter()

    @initialize(leeway=st.sampled_from([0, LEEWAY]))
    def begin(self, leeway):
        self.clock = time_machine.travel(START, tick=False)
        self.time_traveler = self.clock.start()
        self.database_clock = patch.object(flush, "database_time", timezone.now)
        self.database_clock.start()
        self.override = None
        self.options = {
            "AUTH_TOKEN_CLASSES": (
                "token_blacklist.tokens.AccessToken",
                "token_blacklist.tokens.SlidingToken",
            ),
            "SLIDING_TOKEN_LIFETIME": timedelta(hours=2),
            "SESSION_LIFETIME": timedelta(hours=60),
            "LEEWAY": timedelta(seconds=leeway),
        }
        self.set_options()
        self.user = UserFactory()
        self.device = Device(self.user)
        self.opened: list[Session] = []

    def set_options(self, **changes: Any) -> None:
        self.options |= changes
        if self.override:
            self.override.disable()
        self.override = override_settings(TOKEN_BLACKLIST=self.options)
        self.override.enable()

    def teardown(self):
        if getattr(self, "override", None):
            self.override.disable()
            self.database_clock.stop()
            self.clock.stop()
        OutstandingToken.objects.all().delete()
        type(self.user).objects.all().delete() if hasattr(self, "user") else None

    # Predictions of the model.

    @property
    def now(self) -> float:
        return timezone.now().timestamp()

    @property
    def leeway(self) -> float:
        return conf.LEEWAY.total_seconds()

    def genuine(self, token: str) -> bool:
        claims = keys.decode(token, verify=False)
        ahead = max(self.leeway, keys.CLOCK_SKEW.total_seconds())
        return claims["exp"] > self.now - self.leeway and claims["iat"] <= self.now + ahead

    def live(self, session: Session) -> bool:
        return (
            session.has_row
            and not session.ended
            and session.row_expires_at > self.now - self.leeway
            and session.user_id == self.user.pk
        )

    def in_grace(self, session: Session, generation: int) -> bool:
        grace = conf.ROTATION_GRACE_PERIOD.total_seconds()
        return (
            generation == len(session.tokens) - 2
            and grace > 0
            and self.now <= session.refreshed_at + grace
        )

    def may_be_one(self, session: Session, client: tuple[str, str]) -> bool:
        networks = {address.rpartition(".")[0] for address, _agent in (session.client, client)}
        return len(networks) == 1 or session.client[1] == client[1]

    def refresh_says(self, session: Session, generation: int, client: tuple[str, str]) -> str:
        """Return the expected result of a refresh: move, repeat, refuse or reuse."""
        token = session.tokens[generation]
        claims = keys.decode(token, verify=False)
        if not self.genuine(token) or claims["auth_time"] + 60 * HOUR <= self.now:
            return "refuse"
        if session.kind == "sliding" and claims["refresh_exp"] <= self.now - self.leeway:
            return "refuse"
        if not self.live(session):
            return "refuse"
        if generation == len(session.tokens) - 1:
            return "move"
        is_repeat = self.in_grace(session, generation) and self.may_be_one(session, client)
        return "repeat" if is_repeat else "reuse"

    # Operations.

    def choose(self, which: int) -> Session:
        """Return a session, mostly a live one, because more can happen to it."""
        live = [session for session in self.opened if self.live(session)]
        return (live * 3 + self.opened)[which % (3 * len(live) + len(self.opened))]

    # Few sessions, with many operations each.
    @precondition(lambda self: sum(map(self.live, self.opened)) < 2)
    @rule(kind=st.sampled_from(["refresh", *only_with("sliding", "sliding")]))
    def sign_in(self, kind):
        path = "/api/token/" if kind == "refresh" else "/api/token/sliding/"
        answer = self.device.post(path, self.device.credentials, **headers(HOME))
        assert answer.status_code == 200
        session = Session(kind, self.user.pk, [])
        self.keep(session, answer.json())
        self.opened.append(session)

    def keep(self, session: Session, pair: dict[str, str]) -> None:
        token = pair["refresh" if session.kind == "refresh" else "token"]
        session.tokens.append(token)
        if session.kind == "refresh":
            session.access.append(pair["access"])
        session.refreshed_at = self.now
        session.row_expires_at = keys.decode(token, verify=False)["exp"]

    @precondition(lambda self: self.opened)
    @rule(which=ANY, pick=st.integers(0, 9), client=ANY_CLIENT)
    def refresh(self, which, pick, client):
        session = self.choose(which)
        # Mostly the newest tokens, for the same reason.
        self.send(session, max(0, len(session.tokens) - 1 - pick // 3), client)

    @precondition(lambda self: self.opened)
    @rule(which=ANY, seconds=st.sampled_from([0, 9.5, 11]), client=ANY_CLIENT)
    def refresh_and_again(self, which, seconds, client):
        session = self.choose(which)
        newest = len(session.tokens) - 1
        self.send(session, newest)
        self.time_traveler.shift(seconds)
        self.send(session, newest, client)

    def send(self, session: Session, generation: int, client: tuple[str, str] = HOME) -> None:
        verdict = self.refresh_says(session, generation, client)
        self.steps[verdict] += 1
        if verdict == "reuse" and self.in_grace(session, generation):
            self.steps["reuse by another client"] += 1
        name, path = ("refresh", "/api/token/refresh/")
        if session.kind == "sliding":
            name, path = ("token", "/api/token/sliding/refresh/")

        token = session.tokens[generation]
        answer = self.device.post(path, {name: token}, **headers(client))

        assert answer.status_code == (200 if verdict in {"move", "repeat"} else 401), verdict
        if verdict == "move":
            self.keep(session, answer.json())
            session.client = client
        elif verdict == "repeat":
            assert answer.json()[name] == session.tokens[-1]
        elif verdict == "reuse":
            session.ended = True
            entry = BlacklistedToken.objects.get(token__session_id=self.sid(session))
            assert entry.reason == "reuse"

    @precondition(lambda self: self.opened)
    @rule(which=ANY, pick=st.integers(0, 9))
    def use(self, which, pick):
        session = self.choose(which)
        if session.kind == "refresh":
            token = session.access[-1 - pick % len(session.access)]
            good = self.genuine(token) and self.live(session)
        else:
            generation = len(session.tokens) - 1 - pick % len(session.tokens)
            token = session.tokens[generation]
            in_force = generation == len(session.tokens) - 1 or self.in_grace(session, generation)
            good = self.genuine(token) and self.live(session) and in_force

        assert self.device.me(token).status_code == (200 if good else 401)
        assert self.device.verify(token).status_code == (200 if good else 401)

    @precondition(lambda self: self.opened)
    @rule(which=ANY, pick=st.integers(0, 9))
    def sign_out(self, which, pick):
        session = self.choose(which)
        token = session.tokens[-1 - pick % len(session.tokens)]

        answer = self.device.log_out(token)

        assert answer.status_code == (200 if self.genuine(token) else 401)
        if answer.status_code == 200:
            session.ended = True

    @rule(seconds=st.sampled_from([0.5, 5, 9, 11, 11, 11, 31, 299, HOUR]))
    def wait(self, seconds):
        self.time_traveler.shift(seconds)

    @rule(seconds=st.sampled_from([13 * HOUR, 25 * HOUR]), luck=SELDOM)
    def wait_long(self, seconds, luck):
        if luck == 0:
            self.time_traveler.shift(seconds)

    @rule(seconds=st.integers(1, LEEWAY))
    def the_clock_is_set_back(self, seconds):
        self.time_traveler.shift(-seconds)

    @rule()
    def flush(self):
        flush.delete_expired(batch_size=2)
        for session in self.opened:
            if session.row_expires_at <= self.now - self.leeway:
                session.has_row = False  # even if the clock is set back later

    @precondition(lambda self: self.opened)
    @rule(which=ANY, offset=st.sampled_from([-1, 0, 1, LEEWAY - 1, LEEWAY, LEEWAY + 1]))
    def flush_around_the_end_of_a_session(self, which, offset):
        session = self.choose(which)
        ahead = session.row_expires_at + offset - self.now
        if ahead > 0:
            self.time_traveler.shift(ahead)
        self.flush()
        self.send(session, len(session.tokens) - 1)

    @rule(
        leeway=st.sampled_from([0, LEEWAY]),
        grace=st.sampled_from([0, 10, 10]),
        required=st.booleans(),
    )
    def the_settings_change(self, leeway, grace, required):
        self.set_options(
            LEEWAY=timedelta(seconds=leeway),
            ROTATION_GRACE_PERIOD=timedelta(seconds=grace),
            REQUIRE_OUTSTANDING=required,
        )

    @precondition(lambda self: self.opened)
    @rule(which=ANY, luck=SELDOM)
    def a_record_is_deleted(self, which, luck):
        if luck:
            return
        session = self.choose(which)
        OutstandingToken.objects.filter(session_id=self.sid(session)).delete()
        session.has_row = False

    @precondition(lambda self: self.opened)
    @rule(which=ANY)
    def a_blacklist_record_is_deleted(self, which):
        session = self.choose(which)
        entries = BlacklistedToken.objects.filter(token__session_id=self.sid(session))
        session.has_row = session.has_row and not entries.exists()
        entries.delete()

    @rule(luck=SELDOM)
    def the_user_is_deleted_and_comes_back(self, luck):
        if luck:
            return
        email = self.user.email
        self.user.delete()
        self.user = self.device.user = UserFactory(email=email)

    def sid(self, session: Session) -> str:
        return UntypedToken(session.tokens[0], verify=False)["sid"]


def test_random_sequences_of_session_operations_agree_with_the_model(db):
    run_state_machine_as_test(
        SessionMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=60,
            deadline=None,
            phases=(Phase.reuse, Phase.generate),  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Each kind of refresh happened. Reuse by another client is in nearly all runs.
    kinds = ("move", "repeat", "refuse", "reuse")
    assert all(SessionMachine.steps[kind] >= 1 for kind in kinds), SessionMachine.steps
