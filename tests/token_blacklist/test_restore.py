"""Restoring a backup: which sessions return, and `endsessions` that revokes them."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.support.devices import Device
from tests.support.factories import UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken


@pytest.fixture
def backup(db):
    """Save the rows of both lists; return a function that restores them."""

    def keep():
        sessions = list(OutstandingToken.objects.values())
        entries = list(BlacklistedToken.objects.values())

        def restore():
            OutstandingToken.objects.all().delete()
            OutstandingToken.objects.bulk_create(OutstandingToken(**row) for row in sessions)
            BlacklistedToken.objects.bulk_create(BlacklistedToken(**row) for row in entries)

        return restore

    return keep


def signed_in(user):
    device = Device(user)
    assert device.log_in().status_code == 200
    return device


def test_a_restore_undoes_later_sign_outs_until_endsessions_revokes_all_earlier_sessions(
    user, backup, clock
):
    robbed, careless = signed_in(user), signed_in(UserFactory())
    stolen = robbed.refresh_token
    restore = backup()
    clock.shift(3600)
    robbed.log_out()
    assert robbed.refresh(stolen).status_code == 401

    restore()
    restored_at = timezone.now()
    assert robbed.me(token=robbed.access).status_code == 401  # expired by now
    # The restore undid the sign-out: this is the danger.
    assert robbed.refresh(stolen).status_code == 200
    restore()

    call_command("endsessions", "--before", restored_at.isoformat(), "--note", "restored")

    assert robbed.refresh(stolen).status_code == 401
    assert careless.refresh().status_code == 401  # the price: all users sign in again
    clock.shift(timedelta(seconds=1))
    assert signed_in(user).refresh().status_code == 200
