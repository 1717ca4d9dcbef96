"""The cookie of a browser that signed in before, and the attempts of its own that it has."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory

COOKIE = "device"
HELD = HTTPStatus.TOO_MANY_REQUESTS


def by_body(http, user):
    return http.post("/api/token/", {"email": user.email, "password": PASSWORD}, format="json")


def by_cookie(http, user):
    data = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
    return http.post("/api/token/", data, format="json")


def by_sliding_token(http, user):
    data = {"email": user.email, "password": PASSWORD}
    return http.post("/api/token/sliding/", data, format="json")


def by_admin(http, user):
    User.objects.filter(pk=user.pk).update(is_staff=True)
    form = f"username={user.email}&password={PASSWORD}"
    return http.post("/admin/login/", form, content_type="application/x-www-form-urlencoded")


DOORS = [by_body, by_cookie, by_sliding_token, by_admin]


@pytest.fixture
def strangers(settings, clock):
    """Use up an account's attempts from other addresses; reset is an hour's, sign-in a minute's."""
    cache.clear()

    def fail(user):
        rates = {"login_account": "3/min", "reset_account": "3/hour"}
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
        cache.clear()
        for _ in range(4):
            answer = Device(user).log_in(password="wrong")
            Client().post("/password/reset/", {"email": user.email})
        assert answer.status_code == HELD

    yield fail
    cache.clear()


@pytest.mark.parametrize("sign_in", DOORS)
def test_each_sign_in_sets_it_and_each_takes_it(user, strangers, sign_in):
    http = APIClient()

    cookie = sign_in(http, user).cookies[COOKIE]

    assert cookie["httponly"]
    assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Strict")
    assert cookie["max-age"] == 365 * 24 * 3600
    strangers(user)
    for again in DOORS:
        strangers(user)
        assert again(APIClient(), user).status_code == HELD
        assert again(http, user).status_code in {HTTPStatus.OK, HTTPStatus.FOUND}


def test_a_link_for_a_new_password_is_had_with_it(user, strangers):
    device = Device(user)
    device.log_in()
    strangers(user)

    assert Client().post("/password/reset/", {"email": user.email}).status_code == HELD
    browser = Client()
    browser.cookies[COOKIE] = device.http.cookies[COOKIE].value
    answer = browser.post("/password/reset/", {"email": user.email})

    assert answer.status_code == HTTPStatus.FOUND


@pytest.mark.parametrize("path", ["/api/token/", "/api/token/sliding/", "/admin/login/"])
def test_a_wrong_password_sets_none(user, path):
    data = {"email": user.email, "username": user.email, "password": "wrong"}

    answer = APIClient().post(path, data, format="json")

    assert COOKIE not in answer.cookies


def test_a_page_of_the_admin_sets_none(admin_client):
    assert admin_client.get("/admin/login/").status_code == HTTPStatus.FOUND
    assert COOKIE not in admin_client.cookies


def test_it_tells_nobody_whose_it_is(user):
    one, other = Device(user), Device(user)

    first = one.log_in().cookies[COOKIE].value
    second = other.log_in().cookies[COOKIE].value

    assert user.email.partition("@")[0] not in first
    assert not set(first.split(":")[0].split(".")) & set(second.split(":")[0].split("."))


def test_that_of_another_account_helps_nobody(user, strangers):
    stranger = Device(UserFactory())
    stranger.log_in()
    strangers(user)

    assert stranger.post("/api/token/", Device(user).credentials).status_code == HELD


@pytest.mark.parametrize(
    "forge",
    [
        lambda value: "",
        lambda value: "nonsense",
        lambda value: value[:-1] + ("A" if value[-1] != "A" else "B"),
        lambda value: "x" + value,
        lambda value: value.partition(":")[0],
        lambda value: "\\355\\240\\200:1:\u00e9",
        lambda value: ".:" * 2000,
    ],
)
def test_a_forged_one_is_none(user, strangers, forge):
    device = Device(user)
    value = device.log_in().cookies[COOKIE].value
    strangers(user)

    forged = APIClient(HTTP_COOKIE=f'{COOKIE}="{forge(value)}"')

    assert by_body(forged, user).status_code == HELD


def test_it_lasts_for_a_year_from_the_last_sign_in(user, strangers, clock):
    device = Device(user)
    device.log_in()
    for _ in range(2):
        clock.shift(timedelta(days=364))
        strangers(user)
        assert device.log_in().status_code == HTTPStatus.OK
    value = device.http.cookies[COOKIE].value

    clock.shift(timedelta(days=366))
    strangers(user)

    assert by_body(APIClient(HTTP_COOKIE=f"{COOKIE}={value}"), user).status_code == HELD


def test_users_who_share_a_device_have_one_each(db, strangers):
    users = UserFactory.create_batch(6)
    http = APIClient()
    for user in users:
        by_body(http, user)

    answers = []
    for user in users:
        strangers(user)
        answers.append(
            by_body(APIClient(HTTP_COOKIE=f"{COOKIE}={http.cookies[COOKIE].value}"), user)
        )

    assert [answer.status_code for answer in answers] == [HELD, *[HTTPStatus.OK] * 5]


def test_a_new_password_leaves_it_valid(user, strangers):
    device = Device(user)
    device.log_in()
    user.set_password("a new long password")
    user.save()
    strangers(user)

    answer = device.log_in(password="a new long password")

    assert answer.status_code == HTTPStatus.OK
