"""Revoking sessions, session limits, rules, hooks, events and their log lines."""

import logging
from http import HTTPStatus

import pytest

from tests.support.devices import Device, user_id_claim
from tests.support.factories import PASSWORD, OutstandingTokenFactory, UserFactory
from tests.support.statements import statements
from token_blacklist.exceptions import AuthenticationFailed
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions import end
from token_blacklist.signals import token_blacklisted
from token_blacklist.tokens import RefreshToken


def test_all_sessions_of_a_user_are_revoked_in_one_statement(user, device, phone):
    other = Device(UserFactory())
    other.log_in()
    OutstandingTokenFactory.create_batch(30, user=user)
    OutstandingTokenFactory(user=user, expired=True)

    with statements("INSERT"):
        ended = end.revoke_user(user, reason=BlacklistedToken.Reason.LOGOUT_ALL, by=user)

    assert ended == 32
    assert {(e.reason, e.blacklisted_by) for e in BlacklistedToken.objects.all()} == {
        ("logout_all", user)
    }
    assert device.me().status_code == phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert other.me().status_code == HTTPStatus.OK
    assert end.revoke_user(user, reason="api") == 0


def test_revoking_a_users_sessions_can_keep_one(user, device, phone):
    kept = RefreshToken(device.refresh_token)["sid"]

    assert end.revoke_user(user, reason="password", keep=kept) == 1

    assert device.refresh().status_code == HTTPStatus.OK
    assert phone.refresh().status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("change", [{"password": "another"}, {"is_active": False}])
def test_a_sign_in_with_the_old_password_during_a_password_change_opens_no_session(user, change):
    type(user).objects.filter(pk=user.pk).update(**change)  # after `user` was read

    with pytest.raises(AuthenticationFailed) as refused:
        RefreshToken.for_user(user)

    assert refused.value.detail["code"] == "no_active_account"
    assert not OutstandingToken.objects.exists()


def test_a_sign_in_above_max_sessions_per_user_revokes_the_oldest_session(user, options):
    options(MAX_SESSIONS_PER_USER=2)
    first, second, third = devices = [Device(user) for _ in range(3)]
    for device in devices:
        assert device.log_in().status_code == HTTPStatus.OK

    assert first.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert second.refresh().status_code == HTTPStatus.OK
    assert third.refresh().status_code == HTTPStatus.OK


class TestTheSitesOwnRules:
    def test_inactive_users_can_sign_in_if_check_user_is_active_is_off(
        self, user, options, settings
    ):
        settings.AUTHENTICATION_BACKENDS = [
            "django.contrib.auth.backends.AllowAllUsersModelBackend"
        ]
        options(CHECK_USER_IS_ACTIVE=False)
        user.is_active = False
        type(user).objects.filter(pk=user.pk).update(is_active=False)
        device = Device(user)

        assert device.log_in().status_code == HTTPStatus.OK
        assert device.refresh().status_code == HTTPStatus.OK
        assert device.me().status_code == HTTPStatus.OK

    def test_the_login_hooks_get_the_user_or_the_credentials_without_the_password(
        self, user, options
    ):
        heard = []
        options(
            ON_LOGIN_SUCCESS=lambda user, request: heard.append(user),
            ON_LOGIN_FAILED=lambda credentials, request: heard.append(credentials),
        )

        Device(user).log_in()
        Device(user).log_in(password="wrong")

        assert heard == [user, {user.USERNAME_FIELD: user.get_username()}]


def test_each_event_is_logged_in_one_line_with_session_user_and_reason(
    user, caplog, django_capture_on_commit_callbacks
):
    device = Device(user)
    caplog.set_level(logging.INFO, logger="token_blacklist.events")

    with django_capture_on_commit_callbacks(execute=True):
        device.log_in()
        device.refresh()
        device.log_out()

    session = OutstandingToken.objects.get().session_id
    lines = [r for r in caplog.records if r.name == "token_blacklist.events"]
    assert [r.event for r in lines] == ["token_issued", "token_refreshed", "token_blacklisted"]
    assert {r.session_id for r in lines} == {session}
    assert {str(r.user_id) for r in lines} <= {str(user.pk), user_id_claim(user)}
    assert lines[-1].reason == "logout"
    assert "eyJ" not in caplog.text
    assert PASSWORD not in caplog.text


def test_sessions_revoked_together_are_logged_in_one_line_per_batch(
    caplog, django_capture_on_commit_callbacks, db
):
    OutstandingTokenFactory.create_batch(5)
    caplog.set_level(logging.INFO, logger="token_blacklist.events")

    with django_capture_on_commit_callbacks(execute=True):
        list(end.revoke_in_batches(OutstandingToken.objects.all(), reason="admin", batch_size=3))

    lines = [r for r in caplog.records if r.name == "token_blacklist.events"]
    assert [(r.event, r.sessions, r.reason) for r in lines] == [
        ("token_blacklisted", 3, "admin"),
        ("token_blacklisted", 2, "admin"),
    ]


def test_token_blacklisted_is_sent_once_for_each_of_several_sessions_revoked_together(
    user, django_capture_on_commit_callbacks
):
    sessions = OutstandingTokenFactory.create_batch(3, user=user)
    heard = []

    def receive(sender, **facts):
        heard.append((facts["session_id"], facts["user_id"], facts["reason"], facts["by_id"]))

    token_blacklisted.connect(receive)
    try:
        with statements("INSERT", "SELECT"), django_capture_on_commit_callbacks(execute=True):
            end.revoke_user(user, reason="logout_all", by=user)
    finally:
        token_blacklisted.disconnect(receive)

    assert sorted(heard) == sorted(
        (session.session_id, user.pk, "logout_all", user.pk) for session in sessions
    )
