"""Requests that lose a race with a password change or the end of their session."""

import threading
from http import HTTPStatus

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.db import connections

import accounts.models
import accounts.serializers
from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory

OLD_HASH = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 8, 10)
NEW_PASSWORD = "a new long password"


@pytest.fixture
def user_with_old_hash(db):
    """A user whose password has a hash of a former hasher."""
    owner = UserFactory()
    User.objects.filter(pk=owner.pk).update(password=OLD_HASH)
    owner.refresh_from_db()
    return owner


@pytest.fixture
def both_hashers(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]


def while_hashing(monkeypatch, do):
    """Call `do` between the check of a password and the creation of its new hash."""
    done = []

    def hash_late(raw):
        if not done:
            done.append(True)
            do()
        return make_password(raw)

    monkeypatch.setattr(accounts.models, "make_password", hash_late)


@pytest.mark.usefixtures("both_hashers")
class TestASignInThatUpgradesTheHash:
    def test_does_not_undo_a_concurrent_password_change(self, user_with_old_hash, monkeypatch):
        def change():
            owner = User.objects.get(pk=user_with_old_hash.pk)
            owner.set_password(NEW_PASSWORD)
            owner.save()

        while_hashing(monkeypatch, change)

        assert Device(user_with_old_hash).log_in().status_code == HTTPStatus.UNAUTHORIZED
        user_with_old_hash.refresh_from_db()
        assert user_with_old_hash.check_password(NEW_PASSWORD)

    def test_is_refused_if_the_user_was_deleted(self, user_with_old_hash, monkeypatch):
        while_hashing(monkeypatch, User.objects.get(pk=user_with_old_hash.pk).delete)

        assert Device(user_with_old_hash).log_in().status_code == HTTPStatus.UNAUTHORIZED


def test_a_password_change_is_refused_if_another_change_revoked_its_session(
    device, phone, user, monkeypatch
):
    """The owner changes the password while an attacker's change is being processed."""
    checked = accounts.serializers.check_new_password

    def change_first(password, owner, *, field):
        if password == "the-thiefs-choice":
            assert device.change_password("the-owners-choice").status_code == HTTPStatus.OK
        checked(password, owner, field=field)

    monkeypatch.setattr(accounts.serializers, "check_new_password", change_first)

    assert phone.change_password("the-thiefs-choice").status_code == HTTPStatus.UNAUTHORIZED
    user.refresh_from_db()
    assert user.check_password("the-owners-choice")
    assert device.me().status_code == HTTPStatus.OK
    assert phone.me().status_code == HTTPStatus.UNAUTHORIZED


def test_a_password_change_is_refused_if_its_session_was_signed_out(
    device, phone, user, monkeypatch
):
    checked = accounts.serializers.check_new_password

    def sign_out_first(password, owner, *, field):
        device.http.delete("/api/sessions/", **device.bearer)
        checked(password, owner, field=field)

    monkeypatch.setattr(accounts.serializers, "check_new_password", sign_out_first)

    assert phone.change_password(NEW_PASSWORD).status_code == HTTPStatus.UNAUTHORIZED
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(2))
def test_one_of_two_concurrent_password_changes_succeeds(user, _round):
    devices = Device(user), Device(user)
    for one in devices:
        assert one.log_in().status_code == HTTPStatus.OK
    barrier, answers = threading.Barrier(2), {}

    def go(number):
        barrier.wait()
        answers[number] = devices[number].change_password(f"the-choice-of-{number}").status_code
        connections.close_all()

    threads = [threading.Thread(target=go, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers.values()) == [HTTPStatus.OK, HTTPStatus.UNAUTHORIZED]
    (winner,) = [number for number, status in answers.items() if status == HTTPStatus.OK]
    user.refresh_from_db()
    assert user.check_password(f"the-choice-of-{winner}")
    assert devices[winner].me().status_code == HTTPStatus.OK
    assert devices[1 - winner].me().status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("typed", ["X@T\u0308a.de", "Lin@Example.com", "\u212blin@example.com"])
def test_an_email_address_is_normalized_to_one_form(db, typed):
    email = accounts.models.normalize_email(typed)
    assert accounts.models.normalize_email(email) == email
    owner = UserFactory(email=typed)

    assert owner.email == email
    assert Device(owner).log_in(email=typed).status_code == HTTPStatus.OK
