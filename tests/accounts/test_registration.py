"""Signing up: POST /api/register/."""

import json
import logging
from http import HTTPStatus
from threading import Barrier, Thread

import pytest
from django.contrib.auth import hashers
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.token_blacklist.test_budgets import statements

NEW = {"email": "ada@example.com", "password": "a long  password ", "name": "Ada"}


def register(address="127.0.0.1", **changes):
    http = APIClient(REMOTE_ADDR=address)
    data = json.dumps({**NEW, **changes})
    return http.post("/api/register/", data, content_type="application/json")


def test_who_signs_up_can_sign_in(db, mailoutbox):
    answer = register()

    assert (answer.status_code, answer.json()) == (HTTPStatus.CREATED, {"email": NEW["email"]})
    user = User.objects.get()
    assert (user.name, user.is_active, user.is_staff) == ("Ada", True, False)
    device = Device(user)
    assert device.log_in(password=NEW["password"]).status_code == HTTPStatus.OK
    assert device.log_in(password=NEW["password"].strip()).status_code == HTTPStatus.UNAUTHORIZED
    assert [mail.subject for mail in mailoutbox] == ["Welcome"]


@pytest.mark.parametrize("typed", [" ADA@Example.com ", "\uff21da@example.com"])
def test_an_address_is_stored_and_answered_in_one_form(db, typed):
    assert register(email=typed).json() == {"email": "ada@example.com"}
    assert User.objects.get().email == "ada@example.com"


@pytest.mark.parametrize("typed", [NEW["email"], "ADA@example.com "])
def test_a_known_address_is_answered_alike_and_its_owner_is_told(db, mailoutbox, typed):
    owner = UserFactory(email=NEW["email"], name="The owner")
    device = Device(owner)
    device.log_in()

    answer = register(email=typed, name="Buy now")

    assert (answer.status_code, answer.json()) == (HTTPStatus.CREATED, {"email": NEW["email"]})
    assert User.objects.get().name == "The owner"
    assert device.me().status_code == device.log_in().status_code == HTTPStatus.OK
    (mail,) = mailoutbox
    assert mail.to == [NEW["email"]]
    assert "You already have an account" in mail.subject
    assert "http://testserver/" in mail.body
    assert "Buy now" not in mail.body  # nobody's words but ours


def test_known_and_unknown_cost_the_same_hash_statement_and_mail(db, mailoutbox, monkeypatch):
    hashed = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "encode", lambda *args: hashed.append(1) or encode(*args)
    )

    for times in (1, 2):
        with statements("INSERT"):
            register()

        assert len(hashed) == len(mailoutbox) == times


@pytest.mark.parametrize("known", [True, False])
def test_nobody_can_be_flooded_with_e_mails_from_many_addresses(db, settings, mailoutbox, known):
    from config.settings import REST_FRAMEWORK

    cache.clear()
    name = "register_mail_account"
    rates = {name: REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"].get(name)}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    if known:
        UserFactory(email=NEW["email"])

    answers = [
        register(f"192.0.2.{number}", email=" " * number * 99 + NEW["email"].upper())
        for number in range(1, 6)
    ]
    other = register(email="grace@example.com")
    cache.clear()

    created, held = HTTPStatus.CREATED, HTTPStatus.TOO_MANY_REQUESTS
    assert [answer.status_code for answer in answers] == [*[created] * 3, *[held] * 2]
    assert answers[-1].json()["code"] == "throttled"
    assert int(answers[-1]["Retry-After"]) > 0
    assert len([mail for mail in mailoutbox if mail.to == [NEW["email"]]]) == 3
    assert other.status_code == created


def test_what_is_counted_is_e_mails_and_not_attempts(db, settings, mailoutbox):
    cache.clear()
    rates = {"register_mail_account": "1/hour"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}

    answers = [register(password="short"), register(password="short"), register(), register()]
    cache.clear()

    assert [answer.status_code for answer in answers] == [400, 400, 201, 429]
    assert len(mailoutbox) == 1


@pytest.mark.parametrize(
    "weak", ["short", "password1", "8273645109", "ada@example.com", "ada-lovelace"]
)
def test_a_weak_password_is_told_why_whether_the_address_is_known_or_not(db, weak):
    unknown = register(password=weak, name="Ada Lovelace")
    UserFactory(email=NEW["email"])
    known = register(password=weak, name="Ada Lovelace")

    assert unknown.status_code == known.status_code == HTTPStatus.BAD_REQUEST
    assert list(unknown.json()) == ["password"]
    assert unknown.json() == known.json()


def test_where_signing_up_is_closed_it_is_forbidden(db, settings):
    settings.ACCOUNTS_ALLOW_SIGNUP = False

    answer = register()

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.json() == {"detail": "Sign-up is closed.", "code": "signup_closed"}
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_sign_ups_at_once_one_makes_the_account():
    start, answers = Barrier(4), []

    def sign_up(number):
        start.wait()
        answers.append(register(password=f"password of number {number}"))
        connection.close()

    threads = [Thread(target=sign_up, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} == {HTTPStatus.CREATED}
    assert User.objects.count() == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_mail_server_that_is_away_changes_no_answer(db, settings, caplog, known):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    if known:
        UserFactory(email=NEW["email"])

    with caplog.at_level(logging.ERROR):
        assert register().status_code == HTTPStatus.CREATED

    assert "could not be sent" in caplog.text
    assert NEW["password"] not in caplog.text


def test_an_address_that_no_mail_can_reach_is_no_500(db):
    umlauts = "\u00fc" * 62  # too long a label in the form that the mail system takes

    answer = register(email=f"ada@{umlauts}.de")

    assert answer.status_code in {HTTPStatus.CREATED, HTTPStatus.BAD_REQUEST}


@pytest.mark.parametrize(
    "bad", [None, 5.5, [], {}, True, "", "nonsense", "a\x00@example.com", "x" * 999]
)
def test_a_bad_address_is_told(db, bad):
    answer = register(email=bad)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert list(answer.json()) == ["email"]


@pytest.mark.parametrize("bad", [None, [], {}, True, "a\x00b" * 9, "x" * 1025])
@pytest.mark.parametrize("field", ["password", "name"])
def test_a_bad_password_or_name_is_told(db, field, bad):
    answer = register(**{field: bad})

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert list(answer.json()) == [field]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *((body, HTTPStatus.BAD_REQUEST) for body in ("[]", "5", '"x"', "null", "{", "", "\xff")),
        ("[" * 50_000, HTTPStatus.BAD_REQUEST),
        (json.dumps({**NEW, "name": "x" * 2_000_000}), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_a_body_of_another_shape_or_size_is_refused(db, body, status):
    answer = APIClient().post("/api/register/", body, content_type="application/json")

    assert answer.status_code == status
    assert answer.json()
    assert not User.objects.exists()


def test_what_a_stranger_adds_is_not_looked_at(db):
    register(is_staff=True, is_superuser=True, is_active=False, id=1, password2=PASSWORD)

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
