"""The password validator that revokes the sessions of a user whose password changed."""

import pytest
from django.contrib.auth.password_validation import (
    get_password_validators,
    password_changed,
)

from tests.support.devices import Device
from tests.support.factories import UserFactory
from token_blacklist.models import BlacklistedToken

VALIDATORS = [{"NAME": "token_blacklist.password_validation.RevokeSessionsValidator"}]


@pytest.fixture
def validators():
    return get_password_validators(VALIDATORS)


def test_a_changed_password_revokes_the_users_sessions(user, device, phone, settings):
    settings.AUTH_PASSWORD_VALIDATORS = VALIDATORS
    other = Device(UserFactory())
    other.log_in()

    user.set_password("a new password")
    user.save()

    assert device.me().status_code == phone.refresh().status_code == 401
    assert other.me().status_code == 200
    assert set(BlacklistedToken.objects.values_list("reason", flat=True)) == {"password"}


def test_without_a_user_the_validator_revokes_nothing(device, validators):
    password_changed("a new password", None, validators)

    assert device.me().status_code == 200
