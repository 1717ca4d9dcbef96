"""Sliding tokens: one token authenticates and is refreshed, with the same rules."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from tests.support.devices import Device
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import SlidingToken


class SlidingDevice(Device):
    def log_in(self):
        return self.keep(self.post("/api/token/sliding/", self.credentials))

    def refresh(self, token=None):
        return self.keep(self.post("/api/token/sliding/refresh/", {"token": token or self.access}))

    def keep(self, answer):
        if answer.status_code == HTTPStatus.OK:
            self.access = self.refresh_token = answer.json()["token"]
        return answer


@pytest.fixture
def sliding(user, options):
    options(AUTH_TOKEN_CLASSES=("token_blacklist.tokens.SlidingToken",))
    device = SlidingDevice(user)
    assert device.log_in().status_code == HTTPStatus.OK
    return device


def test_a_sliding_token_authenticates_and_is_refreshed_to_a_later_expiry(sliding, clock):
    clock.shift(60)
    first = sliding.access

    assert sliding.refresh().status_code == HTTPStatus.OK

    assert sliding.me().status_code == HTTPStatus.OK
    assert SlidingToken(sliding.access)["exp"] > SlidingToken(first, verify=False)["exp"]
    assert OutstandingToken.objects.get().generation == 1


def test_the_former_token_authenticates_only_within_the_grace_period(sliding, clock):
    first = sliding.access
    sliding.refresh()

    assert sliding.me(first).status_code == HTTPStatus.OK
    clock.shift(11)
    assert sliding.me(first).status_code == HTTPStatus.UNAUTHORIZED
    assert sliding.me().status_code == HTTPStatus.OK


def test_a_repeat_returns_the_same_token_and_reuse_revokes_the_session(sliding, clock):
    first = sliding.access
    second = sliding.refresh(first).json()

    assert sliding.refresh(first).json() == second
    clock.shift(11)
    assert sliding.refresh(first).status_code == HTTPStatus.UNAUTHORIZED
    assert BlacklistedToken.objects.get().reason == "reuse"
    assert sliding.me(second["token"]).status_code == HTTPStatus.UNAUTHORIZED


def test_a_sliding_token_past_its_refresh_lifetime_is_not_refreshed(sliding, clock, options):
    options(SLIDING_TOKEN_LIFETIME=timedelta(days=3))
    sliding.log_in()
    clock.shift(25 * 3600)

    assert sliding.me().status_code == HTTPStatus.OK
    assert sliding.refresh().status_code == HTTPStatus.UNAUTHORIZED


def test_signing_out_ends_a_sliding_token(sliding):
    assert sliding.log_out().status_code == HTTPStatus.OK

    assert sliding.me().status_code == HTTPStatus.UNAUTHORIZED
    assert sliding.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert sliding.verify(sliding.access).status_code == HTTPStatus.UNAUTHORIZED


def test_the_former_token_from_another_client_authenticates_and_is_reuse_at_a_refresh(sliding):
    """Until the grace period ends it works as an access token, which any client can use."""
    first = sliding.access
    sliding.refresh()
    attacker = SlidingDevice(sliding.user, REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="Thief/6.6")

    assert attacker.me(first).status_code == HTTPStatus.OK
    assert attacker.refresh(first).status_code == HTTPStatus.UNAUTHORIZED
    assert BlacklistedToken.objects.get().reason == "reuse"
    assert sliding.me().status_code == HTTPStatus.UNAUTHORIZED
