"""Sign-in, verify and sign-out over the API."""

from http import HTTPStatus

import pytest

from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.parts import only_with
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import AccessToken


def test_signing_in_returns_a_pair_with_no_store(user):
    answer = Device(user).log_in()

    assert answer.status_code == HTTPStatus.OK
    assert answer.json().keys() == {"access", "refresh"}
    assert answer["Cache-Control"] == "no-store"


def test_a_session_stores_user_agent_and_address_and_no_token(user):
    device = Device(user, HTTP_USER_AGENT="Laptop/2.0", REMOTE_ADDR="192.0.2.7")

    device.log_in()

    record = OutstandingToken.objects.get()
    assert (record.user_agent, record.ip_address) == ("Laptop/2.0", "192.0.2.7")
    assert device.refresh_token not in str(vars(record))


def test_a_forged_x_forwarded_for_is_ignored(user):
    device = Device(user, HTTP_X_FORWARDED_FOR="203.0.113.9", REMOTE_ADDR="192.0.2.7")

    device.log_in()

    assert OutstandingToken.objects.get().ip_address == "192.0.2.7"


def test_behind_a_proxy_the_address_that_the_proxy_added_is_used(user, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    device = Device(user, HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.2", REMOTE_ADDR="10.0.0.1")

    device.log_in()

    assert OutstandingToken.objects.get().ip_address == "198.51.100.2"


def test_an_unknown_address_a_wrong_password_and_an_inactive_account_get_the_same_response(user):
    inactive = UserFactory(is_active=False)
    without_password = UserFactory(password="!")
    answers = [
        Device(user).post("/api/token/", {user.USERNAME_FIELD: name, "password": password})
        for name, password in [
            ("nobody@example.com", PASSWORD),
            (user.get_username(), "wrong"),
            (inactive.get_username(), PASSWORD),
            (without_password.get_username(), PASSWORD),
        ]
    ]

    assert {answer.status_code for answer in answers} == {HTTPStatus.UNAUTHORIZED}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "no_active_account"
    assert answers[0]["WWW-Authenticate"].startswith("Bearer")
    assert not OutstandingToken.objects.exists()


def test_signing_out_ends_the_access_token_immediately(device):
    assert device.me().status_code == HTTPStatus.OK

    device.log_out()

    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert device.verify(device.access).status_code == HTTPStatus.UNAUTHORIZED


def test_signing_out_on_the_phone_leaves_the_laptop_alone(device, phone):
    phone.log_out()

    assert phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert device.refresh().status_code == HTTPStatus.OK


def test_signing_out_with_a_token_of_any_generation_revokes_the_session(device):
    oldest = device.refresh_token
    device.refresh()
    device.refresh()

    assert device.log_out(oldest).status_code == HTTPStatus.OK

    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    entry = BlacklistedToken.objects.get()
    assert (entry.reason, entry.blacklisted_by) == ("logout", device.user)


def test_signing_out_twice_succeeds_both_times(device):
    assert device.log_out().status_code == HTTPStatus.OK
    assert device.log_out().status_code == HTTPStatus.OK


def test_an_expired_token_does_not_sign_out(device, clock):
    clock.shift(25 * 3600)

    assert device.log_out().status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    ("state", "code"), [("inactive", "user_inactive"), ("deleted", "user_not_found")]
)
def test_tokens_of_a_deactivated_or_deleted_user_are_refused_immediately(device, user, state, code):
    if state == "deleted":
        user.delete()
    else:
        type(user).objects.update(is_active=False)

    for answer in (device.me(), device.verify(device.access), device.verify(device.refresh_token)):
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer.json()["code"] == code


def test_verify_accepts_the_current_token_and_the_former_one_within_the_grace_period(device, clock):
    oldest = device.refresh_token
    device.refresh()
    previous = device.refresh_token
    device.refresh()

    assert device.verify(oldest).status_code == HTTPStatus.UNAUTHORIZED
    assert device.verify(previous).status_code == HTTPStatus.OK
    clock.shift(11)
    assert device.verify(previous).status_code == HTTPStatus.UNAUTHORIZED
    assert device.verify(device.refresh_token).status_code == HTTPStatus.OK
    assert not BlacklistedToken.objects.exists()


def test_an_access_token_without_a_session_is_accepted(device, user):
    token = str(AccessToken.for_user(user))

    assert "sid" not in AccessToken(token)
    assert device.me(token).status_code == HTTPStatus.OK
    assert device.verify(token).status_code == HTTPStatus.OK


def test_deleting_a_blacklist_record_deletes_the_session_with_it(device, phone):
    for gone in (device, phone):
        gone.log_out()
    first, second = BlacklistedToken.objects.all()

    first.delete()
    BlacklistedToken.objects.filter(pk=second.pk).delete()

    assert not OutstandingToken.objects.exists()
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert phone.me().status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("endpoint", ["/api/token/", *only_with("sliding", "/api/token/sliding/")])
def test_a_sign_in_whose_token_cannot_be_signed_opens_no_session(
    transactional_db, options, endpoint
):
    device = Device(UserFactory())
    device.http.raise_request_exception = False
    options(SIGNING_KEY="-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----")

    assert device.post(endpoint, device.credentials).status_code == 500
    assert not OutstandingToken.objects.exists()
