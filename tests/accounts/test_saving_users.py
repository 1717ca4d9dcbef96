"""User.save() works as Django's, and a new password or a deactivation revokes the sessions."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken

NEW_PASSWORD = "a new long password"


@pytest.mark.parametrize("check", [User.check_password, async_to_sync(User.acheck_password)])
@pytest.mark.django_db(transaction=True)
def test_an_upgraded_hash_revokes_no_session(user, settings, check):
    settings.PASSWORD_HASHERS = [
        *settings.PASSWORD_HASHERS,
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    old = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 8, 10)
    User.objects.update(password=old)
    device = Device(user)
    device.log_in()
    User.objects.update(password=old)

    assert check(User.objects.get(pk=user.pk), PASSWORD)

    user.refresh_from_db()
    assert user.password.startswith("md5$")
    assert device.me().status_code == device.refresh().status_code == 200


def test_a_new_password_revokes_every_session_once(user, device, phone):
    loaded = User.objects.get(pk=user.pk)
    loaded.set_password(NEW_PASSWORD)

    with statements("UPDATE", "INSERT"):
        loaded.save()
    with statements("UPDATE"):
        loaded.save()

    assert device.me().status_code == phone.refresh().status_code == 401
    assert set(BlacklistedToken.objects.values_list("reason", flat=True)) == {"password"}


@pytest.mark.parametrize("what", ["a new password", "a deactivation"])
def test_if_revoking_fails_the_password_is_not_changed(user, device, monkeypatch, what):
    loaded = User.objects.get(pk=user.pk)
    if what == "a new password":
        loaded.set_password(NEW_PASSWORD)
    else:
        loaded.is_active = False
    monkeypatch.setattr("token_blacklist.password_validation.revoke_user", lambda *a, **k: 1 / 0)
    monkeypatch.setattr("accounts.models.revoke_user", lambda *a, **k: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        loaded.save()

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert device.me().status_code == 200


class Refuses:
    def password_changed(self, password, user=None):
        raise RuntimeError("no")


def test_if_a_later_validator_fails_no_session_is_revoked(user, device, settings):
    settings.AUTH_PASSWORD_VALIDATORS = [
        *settings.AUTH_PASSWORD_VALIDATORS,
        {"NAME": f"{__name__}.Refuses"},
    ]
    user.set_password(NEW_PASSWORD)

    with pytest.raises(RuntimeError, match="no"):
        user.save()

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert device.me().status_code == device.refresh().status_code == 200


def test_saving_an_unchanged_user_revokes_no_session(device, user):
    User.objects.get(pk=user.pk).save()
    User.objects.only("name").get(pk=user.pk).save()
    User.objects.defer("password").get(pk=user.pk).save()

    assert device.me().status_code == 200


def test_a_new_password_does_not_revoke_another_users_sessions(user):
    other = Device(UserFactory())
    other.log_in()

    user.set_password(NEW_PASSWORD)
    user.save()

    assert other.me().status_code == 200
