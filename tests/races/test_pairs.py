"""Every pair of operations that change a session, concurrently in four threads each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions import flush

from .conftest import ROUNDS, THREADS

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MAX_SESSIONS = 3
# Fewer than in the other races: each guard is in many pairs, so its absence shows in one of them.
ROUNDS_OF_A_PAIR = max(1, ROUNDS // 3)


@dataclass
class Run:
    """One user with two sessions, and the results of the threads."""

    user: Any
    laptop: Device
    phone: Device
    support: Client
    by_form: bool  # how support ends a session: by the form to add a record, or by the button
    signed_in: list[Device] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    changed: list[Device] = field(default_factory=list)  # with the session of a new password

    def refresh(self) -> None:
        answer = Device(self.user).refresh(self.laptop.refresh_token)
        assert answer.status_code in {200, 401}
        if answer.status_code == 200:
            self.refreshed.append(answer.json()["refresh"])

    def log_out(self) -> None:
        assert Device(self.user).log_out(self.laptop.refresh_token).status_code == 200

    def log_out_everywhere(self) -> None:
        answer = Device(self.user).http.delete(
            "/api/sessions/?all=true", HTTP_AUTHORIZATION=f"Bearer {self.phone.access}"
        )
        assert answer.status_code in {200, 401}

    def change_password(self) -> None:
        """As Django's forms and commands do."""
        user = User.objects.get(pk=self.user.pk)
        user.set_password("a new password")
        user.save()

    def change_own_password(self) -> None:
        """Use the API; the session in its response is a new one, as from a sign-in."""
        device = Device(self.user)
        device.access = self.phone.access
        answer = device.change_password("another new password")
        assert answer.status_code in {200, 400, 401}  # 400: the old password has been replaced
        if answer.status_code == 200:
            self.changed.append(device)

    def flush(self) -> None:
        flush.delete_expired(batch_size=3)

    def deactivate(self) -> None:
        user = User.objects.get(pk=self.user.pk)
        user.is_active = False
        user.save(update_fields=["is_active"])

    def log_in(self) -> None:
        device = Device(self.user)
        answer = device.log_in()
        assert answer.status_code in {200, 401}
        if answer.status_code == 200:
            self.signed_in.append(device)

    def blacklist_in_the_admin(self) -> None:
        record = OutstandingToken.objects.filter(user=self.user).earliest("pk")
        if self.by_form:
            answer = self.support.post(
                "/admin/token_blacklist/blacklistedtoken/add/", {"token": record.pk}
            )
            assert answer.status_code in {200, 302}  # 200: the form says that it is blacklisted
        else:
            answer = self.support.post(f"/admin/token_blacklist/outstandingtoken/{record.pk}/end/")
            assert answer.status_code == 302


OPERATIONS: dict[str, Callable[[Run], None]] = {
    "refresh": Run.refresh,
    "logout": Run.log_out,
    "logout-all": Run.log_out_everywhere,
    "password": Run.change_password,
    "own-password": Run.change_own_password,
    "flush": Run.flush,
    "deactivation": Run.deactivate,
    "login": Run.log_in,
    "admin": Run.blacklist_in_the_admin,
}
END_THE_LAPTOP = {"logout", "logout-all", "password", "deactivation", "admin"}
END_EVERY_OLD_SIGN_IN = {"password", "deactivation"}


def begin(support: Client, *, by_form: bool) -> Run:
    user = UserFactory()
    laptop, phone = Device(user), Device(user)
    assert laptop.log_in().status_code == phone.log_in().status_code == 200
    gone = Device(user)
    gone.log_in()
    newest = OutstandingToken.objects.filter(user=user).latest("pk")
    OutstandingToken.objects.filter(pk=newest.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    return Run(user, laptop, phone, support, by_form)


def check(run: Run, pair: set[str]) -> None:
    rows = OutstandingToken.objects.filter(user=run.user)
    assert len({row.session_id for row in rows}) == len(rows)
    assert len(set(run.refreshed)) <= 1, "two successors of one token"
    newest = [run.laptop.refresh_token, *run.refreshed]
    # Reactivation must not revive a session.
    type(run.user).objects.filter(pk=run.user.pk).update(is_active=True)
    if run.changed or pair & END_THE_LAPTOP:
        assert Device(run.user).refresh(newest[-1]).status_code == 401
        assert run.laptop.me().status_code == 401
    elif "login" not in pair:  # a sign-in may revoke the oldest session
        assert Device(run.user).refresh(newest[-1]).status_code == 200
    if "flush" in pair:
        assert not rows.expired(timezone.now()).exists()
    if "login" in pair:
        assert rows.live().count() <= MAX_SESSIONS
        if run.changed or pair & END_EVERY_OLD_SIGN_IN:
            for device in run.signed_in:
                assert device.refresh().status_code == 401
                assert device.me().status_code == 401
    assert len(run.changed) <= 1, "two changes of one password"
    if pair == {"own-password"}:
        assert len(run.changed) == 1
    for device in run.changed:
        if pair & END_EVERY_OLD_SIGN_IN:
            assert device.me().status_code == 401
        elif not pair & {"logout-all", "login"}:  # these may run after it
            assert device.me().status_code == device.refresh().status_code == 200
    ended = BlacklistedToken.objects.filter(token__user=run.user)
    assert len({entry.token_id for entry in ended}) == len(ended)
    sessions = OutstandingToken.objects.values("pk")
    assert not BlacklistedToken.objects.exclude(token_id__in=sessions).exists(), "of no session"


@pytest.mark.parametrize("pair", list(combinations_with_replacement(OPERATIONS, 2)), ids="-".join)
def test_a_revoked_session_stays_revoked_for_each_pair_of_concurrent_operations(
    pair, together, options
):
    options(MAX_SESSIONS_PER_USER=MAX_SESSIONS)
    support = Client()
    support.force_login(UserFactory(admin=True))
    for number in range(ROUNDS_OF_A_PAIR):
        run = begin(support, by_form=number % 5 == 0)

        together(*[lambda s=run, name=name: OPERATIONS[name](s) for name in pair * (THREADS // 2)])

        check(run, set(pair))
