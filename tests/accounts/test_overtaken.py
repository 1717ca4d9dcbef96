"""What is overtaken by a change of password or an end of the session changes nothing."""

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
NEW = "a new long password"


@pytest.fixture
def dated(db):
    """Somebody whose password was hashed by the hasher of before."""
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
    """Do something in the moment between a check of a password and its new hash."""
    done = []

    def hash_late(raw):
        if not done:
            done.append(True)
            do()
        return make_password(raw)

    monkeypatch.setattr(accounts.models, "make_password", hash_late)


@pytest.mark.usefixtures("both_hashers")
class TestASignInThatHashesThePasswordAnew:
    def test_ends_nothing_and_keeps_the_password(self, dated):
        first, second = Device(dated), Device(dated)
        assert first.log_in().status_code == HTTPStatus.OK
        assert second.log_in().status_code == HTTPStatus.OK

        assert first.me().status_code == HTTPStatus.OK
        dated.refresh_from_db()
        assert dated.password.startswith("md5$")

    def test_does_not_undo_a_change_of_the_same_moment(self, dated, monkeypatch):
        def change():
            owner = User.objects.get(pk=dated.pk)
            owner.set_password(NEW)
            owner.save()

        while_hashing(monkeypatch, change)

        assert Device(dated).log_in().status_code == HTTPStatus.UNAUTHORIZED
        dated.refresh_from_db()
        assert dated.check_password(NEW)

    def test_is_refused_where_the_person_is_gone(self, dated, monkeypatch):
        while_hashing(monkeypatch, User.objects.get(pk=dated.pk).delete)

        assert Device(dated).log_in().status_code == HTTPStatus.UNAUTHORIZED


def test_a_session_that_was_ended_meanwhile_changes_no_password(device, phone, user, monkeypatch):
    """The owner changes the password while a thief's change is on its way."""
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


def test_a_session_that_was_signed_out_meanwhile_changes_no_password(
    device, phone, user, monkeypatch
):
    checked = accounts.serializers.check_new_password

    def sign_out_first(password, owner, *, field):
        device.http.delete("/api/sessions/", **device.bearer)
        checked(password, owner, field=field)

    monkeypatch.setattr(accounts.serializers, "check_new_password", sign_out_first)

    assert phone.change_password(NEW).status_code == HTTPStatus.UNAUTHORIZED
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_of_two_who_change_it_at_once_one_does(user, _round):
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
def test_an_address_has_one_form_however_it_is_written(db, typed):
    email = accounts.models.normalize_email(typed)
    assert accounts.models.normalize_email(email) == email
    owner = UserFactory(email=typed)

    assert owner.email == email
    assert Device(owner).log_in(email=typed).status_code == HTTPStatus.OK
