"""User.save() works as Django's, and a new password or a deactivation revokes the sessions."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db.models.signals import post_save, pre_save

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken

NEW_PASSWORD = "a new long password"


@pytest.fixture
def receiver():
    """Connect a receiver to a signal of the user for one test."""
    connected = []

    def connect(signal, receive):
        signal.connect(receive, sender=User)
        connected.append((signal, receive))

    yield connect
    for signal, receive in connected:
        signal.disconnect(receive, sender=User)


def test_a_change_by_a_pre_save_receiver_is_stored(user, receiver):
    def name(instance, **kwargs):
        instance.name = "Ada"

    receiver(pre_save, name)
    loaded = User.objects.get(pk=user.pk)

    loaded.save()

    user.refresh_from_db()
    assert user.name == "Ada"


def test_saving_without_a_change_writes_every_field_and_sends_the_signals(user, receiver):
    sent = []
    for signal in (pre_save, post_save):
        receiver(signal, lambda signal, update_fields, **kwargs: sent.append(update_fields))
    loaded = User.objects.get(pk=user.pk)
    User.objects.update(name="Ada")

    loaded.save()

    assert sent == [None, None]
    user.refresh_from_db()
    assert user.name == ""


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


def test_creating_a_user_is_one_statement(db):
    with statements("INSERT"):
        user = User.objects.create_user("new@example.com", PASSWORD)
    with statements("UPDATE"):
        user.save()


def test_a_new_password_does_not_revoke_another_users_sessions(user):
    other = Device(UserFactory())
    other.log_in()

    user.set_password(NEW_PASSWORD)
    user.save()

    assert other.me().status_code == 200
