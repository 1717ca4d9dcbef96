"""Deleting one's own account, by the API and on a page."""

import threading
from datetime import timedelta
from http import HTTPStatus
from unittest.mock import Mock

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from rest_framework.exceptions import PermissionDenied

from accounts.activity import collect
from accounts.deletion import delete_due, request_deletion
from accounts.models import Activity, User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.signals import tokens_flushed

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


def delete(device, **body):
    return device.http.delete("/api/me/", body, format="json", **device.bearer)


@pytest.fixture
def leaving(user, device):
    """The device of a user who has asked for the deletion."""
    assert delete(device, password=PASSWORD).status_code == HTTPStatus.OK
    user.refresh_from_db()
    mail.outbox.clear()
    return device


class TestAskingByTheApi:
    def test_ends_every_session_and_deletes_the_account_in_a_week(self, user, device, phone, clock):
        answer = delete(device, password=PASSWORD)

        user.refresh_from_db()
        assert user.delete_at == timezone.now() + WEEK
        assert answer.json() == {"delete_at": user.delete_at.isoformat().replace("+00:00", "Z")}
        assert {device.me().status_code, phone.refresh().status_code} == {HTTPStatus.UNAUTHORIZED}
        ended = BlacklistedToken.objects.all()
        assert {(each.reason, each.blacklisted_by) for each in ended} == {("logout_all", user)}

    def test_tells_the_user_by_email(self, user, device, clock):
        delete(device, password=PASSWORD)

        (message,) = mail.outbox
        assert message.to == [user.email]
        assert f"It will be deleted on {date_format(timezone.now() + WEEK)}." in message.body

    @pytest.mark.parametrize("body", [{"password": "wrong"}, {"password": ""}, {"other": 1}])
    def test_with_another_password_changes_nothing(self, user, device, body):
        answer = delete(device, **body)

        user.refresh_from_db()
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json().keys() == {"password"}
        assert (user.delete_at, device.me().status_code) == (None, HTTPStatus.OK)

    @pytest.mark.parametrize(("minutes", "status"), [(9, 200), (11, 401)])
    def test_needs_no_password_within_ten_minutes_of_the_sign_in(
        self, user, device, clock, minutes, status
    ):
        clock.shift(timedelta(minutes=minutes))
        device.refresh()

        answer = delete(device)

        user.refresh_from_db()
        assert answer.status_code == status
        assert (user.delete_at is None) == (status != HTTPStatus.OK)
        if status != HTTPStatus.OK:
            assert answer.json()["code"] == "reauthentication_required"

    def test_counts_wrong_passwords(self, device, settings):
        settings.ACCOUNT_RATE_LIMITS = {"change_password": "2/h/user"}

        statuses = [delete(device, password="wrong").status_code for _each in range(3)]

        assert statuses == [400, 400, HTTPStatus.TOO_MANY_REQUESTS]
        assert device.me().status_code == HTTPStatus.OK

    def test_deletes_at_once_with_a_delay_of_0(self, user, device, settings):
        settings.ACCOUNT_DELETION_DAYS = 0

        assert delete(device, password=PASSWORD).status_code == HTTPStatus.OK

        assert not User.objects.filter(pk=user.pk).exists()
        assert device.me().status_code == HTTPStatus.UNAUTHORIZED
        (message,) = mail.outbox
        assert (message.to, "was deleted, as you asked" in message.body) == ([user.email], True)

    @pytest.mark.parametrize("other", [None, {"is_active": False}, {"delete_at": timezone.now()}])
    def test_refuses_the_only_superuser(self, db, other):
        if other is not None:
            UserFactory(admin=True, **other)
        device = Device(UserFactory(admin=True))
        device.log_in()

        answer = delete(device, password=PASSWORD)

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "only administrator" in answer.json()["detail"]
        assert device.me().status_code == HTTPStatus.OK
        assert mail.outbox == []


@pytest.mark.pages
class TestAskingOnThePage:
    @pytest.fixture
    def page(self, client, user):
        client.post("/login/", {"login": user.email, "password": PASSWORD})
        client.post("/reauthenticate/", {"password": PASSWORD})
        return client

    def test_asks_for_the_password_if_that_was_long_ago(self, page, user, clock):
        clock.shift(3600)

        for method in (page.get, page.post):
            assert method("/account/delete/").url.startswith("/reauthenticate/?next=")
        user.refresh_from_db()
        assert user.delete_at is None

    def test_signs_out_and_deletes_the_account_in_a_week(self, page, user, clock):
        answer = page.post("/account/delete/", follow=True)

        user.refresh_from_db()
        assert user.delete_at == timezone.now() + WEEK
        assert answer.redirect_chain == [("/", 302)]
        assert "Your account will be deleted on" in answer.text
        assert page.get("/account/").url.startswith("/login/")

    def test_refuses_the_only_superuser(self, page, user):
        User.objects.filter(pk=user.pk).update(is_superuser=True)

        assert page.post("/account/delete/").status_code == HTTPStatus.FORBIDDEN


class TestSigningInAgain:
    def test_keeps_the_account_and_tells_the_user_once(self, user, leaving):
        leaving.log_in()

        collect()
        collect()

        user.refresh_from_db()
        assert user.delete_at is None
        assert [each.to for each in mail.outbox] == [[user.email]]
        assert "will not be deleted" in mail.outbox[0].body

    def test_keeps_it_if_the_session_was_flushed_since(self, user, leaving):
        at = timezone.now() + timedelta(hours=1)
        Activity.objects.create(user=user, kind="sign_in", at=at, session_id="flushed")

        assert delete_due(user.delete_at) == 0
        user.refresh_from_db()
        assert user.delete_at is None

    def test_keeps_it_if_that_session_has_ended(self, user, leaving, clock):
        clock.shift(60)
        leaving.log_in()
        leaving.log_out()

        assert delete_due(user.delete_at) == 0
        assert User.objects.filter(pk=user.pk).exists()

    def test_before_the_request_does_not(self, user, leaving):
        collect()
        collect()

        user.refresh_from_db()
        assert user.delete_at is not None
        assert mail.outbox == []


class TestDeleting:
    def test_is_done_by_the_daily_flush_when_the_time_has_come(self, user, leaving, clock):
        clock.shift(WEEK - timedelta(seconds=60))
        tokens_flushed.send(None, outstanding=0, blacklisted=0)
        assert User.objects.filter(pk=user.pk).exists()

        clock.shift(60)
        tokens_flushed.send(None, outstanding=0, blacklisted=0)

        assert not User.objects.filter(pk=user.pk).exists()
        assert not Activity.objects.filter(user=user.pk).exists()
        assert OutstandingToken.objects.filter(user=user.pk).count() == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_superusers_who_leave_at_the_same_time_one_stays(monkeypatch):
    monkeypatch.setattr("accounts.deletion.get_adapter", Mock)  # there is no request
    refused = []
    both = UserFactory.create_batch(2, admin=True)
    start = threading.Barrier(2)

    def leave(user):
        start.wait(timeout=10)
        try:
            request_deletion(user)
        except PermissionDenied:
            refused.append(user)
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=(user,)) for user in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert User.objects.get(delete_at=None) == refused[0]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_sign_in_during_the_deletion_waits_and_finds_no_account(monkeypatch):
    user = UserFactory()
    User.objects.filter(pk=user.pk).update(delete_at=timezone.now() - timedelta(days=1))
    statuses = []
    delete_user = User.delete
    device = Device(user)

    def sign_in():
        statuses.append(device.log_in().status_code)
        connection.close()

    thread = threading.Thread(target=sign_in)

    def delete_slowly(self):
        thread.start()
        thread.join(timeout=2)  # it waits for this transaction
        assert thread.is_alive()
        return delete_user(self)

    monkeypatch.setattr(User, "delete", delete_slowly)

    assert delete_due() == 1
    thread.join(timeout=10)
    assert statuses == [HTTPStatus.UNAUTHORIZED]
