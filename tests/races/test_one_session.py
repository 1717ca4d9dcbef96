"""Concurrent requests of one session."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.devices import Device
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions import flush

from .conftest import ROUNDS, THREADS

pytestmark = pytest.mark.slow


def signed_in(user):
    device = Device(user)
    assert device.log_in().status_code == 200
    return device


def refresher(token, user):
    return lambda: Device(user).refresh(token)


def test_concurrent_refreshes_with_one_token_get_one_successor(user, together):
    for _ in range(ROUNDS):
        device = signed_in(user)
        token = device.refresh_token

        answers = together(*[refresher(token, user)] * THREADS)

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh"] for answer in answers}) == 1
        assert OutstandingToken.objects.latest("pk").generation == 1
    assert not BlacklistedToken.objects.exists()


def test_without_a_grace_period_one_of_concurrent_refreshes_succeeds_and_the_others_are_reuse(
    user, together, options
):
    options(ROTATION_GRACE_PERIOD=timedelta(0))
    for _ in range(ROUNDS):
        token = signed_in(user).refresh_token

        answers = together(*[refresher(token, user)] * THREADS)

        codes = sorted(answer.status_code for answer in answers)
        assert codes == [200] + [401] * (THREADS - 1)
        assert BlacklistedToken.objects.get().reason == "reuse"
        OutstandingToken.objects.all().delete()


def test_no_token_works_after_a_sign_out_concurrent_with_refreshes(user, together):
    for _ in range(ROUNDS):
        device = signed_in(user)
        token = device.refresh_token

        *refreshes, logout = together(
            *[refresher(token, user)] * (THREADS - 1), lambda d=device: d.log_out()
        )

        assert logout.status_code == 200
        assert {answer.status_code for answer in refreshes} <= {200, 401}
        for answer in refreshes:
            if answer.status_code == 200:
                assert Device(user).refresh(answer.json()["refresh"]).status_code == 401
                assert device.me(answer.json()["access"]).status_code == 401
    assert BlacklistedToken.objects.count() == ROUNDS


def test_concurrent_sign_outs_all_succeed_and_create_one_record(user, together):
    for _ in range(ROUNDS):
        device = signed_in(user)

        answers = together(*[device.log_out] * THREADS)

        assert {answer.status_code for answer in answers} == {200}
    assert BlacklistedToken.objects.count() == ROUNDS


def test_concurrent_flushes_and_sign_outs_succeed_and_keep_live_sessions(user, together, options):
    options(REFRESH_TOKEN_LIFETIME=timedelta(hours=1))
    for _ in range(ROUNDS):
        device = signed_in(user)
        OutstandingToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        live = signed_in(user)

        *logouts, _report, _again = together(
            *[device.log_out] * (THREADS - 2), flush.delete_expired, flush.delete_expired
        )

        assert {answer.status_code for answer in logouts} == {200}
        assert live.refresh().status_code == 200
        assert device.refresh().status_code == 401
        live.log_out()


def test_concurrent_refreshes_of_a_token_without_a_record_open_one_session(user, together, options):
    from token_blacklist.tokens import RefreshToken

    options(REQUIRE_OUTSTANDING=False)
    for _ in range(ROUNDS):
        stateless = RefreshToken()
        stateless["user_id"] = str(user.pk)
        token = str(stateless)

        answers = together(*[refresher(token, user)] * THREADS)

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh"] for answer in answers}) == 1
        assert OutstandingToken.objects.filter(session_id=stateless["jti"]).count() == 1
