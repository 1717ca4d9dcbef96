"""Password hashes: parameters, upgrades, and how many are computed at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    PBKDF2PasswordHasher,
    check_password,
    make_password,
)

from accounts.models import User
from config import settings as site
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory

SMALL = "argon2$argon2id$v=19$m=19456,t=2,p=1$"


@pytest.fixture(autouse=True)
def _our_hasher_first(settings):
    ours = "accounts.hashers.SmallArgon2PasswordHasher"
    settings.PASSWORD_HASHERS = sorted(site.PASSWORD_HASHERS, key=lambda name: name != ours)


def test_a_password_hash_has_owasps_parameters():
    hashed = make_password(PASSWORD)

    assert hashed.startswith(SMALL)
    assert check_password(PASSWORD, hashed)
    assert not check_password(PASSWORD + " ", hashed)


@pytest.mark.parametrize("before", [Argon2PasswordHasher, PBKDF2PasswordHasher])
def test_an_older_hash_is_upgraded_at_sign_in_and_revokes_no_session(before, db):
    user = UserFactory()
    hasher = before()
    old = hasher.encode(PASSWORD, hasher.salt())
    User.objects.filter(pk=user.pk).update(password=old)
    laptop, phone = Device(user), Device(user)

    assert laptop.log_in().status_code == HTTPStatus.OK
    assert phone.log_in().status_code == HTTPStatus.OK

    user.refresh_from_db()
    assert user.password.startswith(SMALL)
    assert laptop.refresh().status_code == phone.refresh().status_code == HTTPStatus.OK


def test_concurrent_hashes_are_limited_to_the_number_of_processors(monkeypatch):
    lock, running, most = threading.Lock(), [], []

    def verify(self, password, encoded):
        with lock:
            running.append(password)
            most.append(len(running))
        threading.Event().wait(0.01)
        with lock:
            running.remove(password)
        return True

    monkeypatch.setattr(Argon2PasswordHasher, "verify", verify)
    hashed = make_password(PASSWORD)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: check_password(PASSWORD, hashed), range(32)))

    assert all(answers)
    assert max(most) <= site.PASSWORD_HASHES_AT_ONCE
