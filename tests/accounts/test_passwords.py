"""A new password: through the API, the admin, the command and the reset link."""

import json
from http import HTTPStatus
from io import StringIO

import pytest
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.hashers import make_password
from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.tokens import default_token_generator
from django.core.management import call_command

from tests.support.devices import Device
from tests.support.factories import PASSWORD, OutstandingTokenFactory, UserFactory
from tests.token_blacklist.test_budgets import statements
from token_blacklist.models import BlacklistedToken
from token_blacklist.tokens import AccessToken

NEW = "  a new and long password  "


def change(device, **data):
    data = {"old_password": PASSWORD, "new_password": NEW, **data}
    return device.http.post("/api/password/change/", data, format="json", **device.bearer)


def assert_signed_out(*devices):
    for device in devices:
        assert device.me().status_code == HTTPStatus.UNAUTHORIZED
        assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED


def reasons():
    return set(BlacklistedToken.objects.values_list("reason", flat=True))


class TestThroughTheAPI:
    def test_the_new_one_signs_in_byte_for_byte_and_the_old_one_does_not(self, device):
        answer = change(device)

        assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {})
        assert device.log_in().status_code == HTTPStatus.UNAUTHORIZED
        assert device.log_in(password=NEW.strip()).status_code == HTTPStatus.UNAUTHORIZED
        assert device.log_in(password=NEW).status_code == HTTPStatus.OK

    def test_every_other_session_ends_and_this_one_stays(self, device, phone):
        change(device)

        assert_signed_out(phone)
        assert device.me().status_code == device.refresh().status_code == HTTPStatus.OK
        assert reasons() == {"password"}

    def test_a_token_of_no_session_keeps_none(self, device, phone):
        device.access = str(AccessToken.for_user(device.user))

        assert change(device).status_code == HTTPStatus.OK
        assert phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED

    def test_it_costs_the_same_however_many_sessions(self, user, device):
        OutstandingTokenFactory.create_batch(30, user=user)

        with statements("SELECT", "UPDATE", "INSERT", "SELECT"):
            change(device)

    def test_a_wrong_old_password_changes_nothing(self, device, phone):
        answer = change(device, old_password="wrong")

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json() == {"old_password": ["This is not your password."]}
        assert phone.me().status_code == device.log_in().status_code == HTTPStatus.OK

    @pytest.mark.parametrize("weak", ["short", "password1", "8273645109", "person-own-words"])
    def test_a_weak_new_password_is_told_why(self, user, device, weak):
        type(user).objects.filter(pk=user.pk).update(name="Person Own Words")

        answer = change(device, new_password=weak)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert list(answer.json()) == ["new_password"]
        assert not reasons()

    @pytest.mark.parametrize(
        "bad", [None, 5, [], {}, True, "", "a\x00b" * 5, "\ud800" * 9, "x" * 1025]
    )
    @pytest.mark.parametrize("field", ["old_password", "new_password"])
    def test_bad_input_is_told_by_field(self, device, field, bad):
        data = {"old_password": PASSWORD, "new_password": NEW, field: bad}

        answer = device.http.post(
            "/api/password/change/",
            json.dumps(data),
            content_type="application/json",
            **device.bearer,
        )

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert list(answer.json()) == [field]

    @pytest.mark.parametrize("body", ["[]", "5", '"x"', "null", "{", "", "[" * 50_000])
    def test_a_body_of_another_shape_is_refused(self, device, body):
        answer = device.http.post(
            "/api/password/change/", body, content_type="application/json", **device.bearer
        )

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json()

    def test_nobody_changes_it_without_a_token(self, client, db):
        answer = client.post("/api/password/change/", {}, content_type="application/json")

        assert answer.status_code == HTTPStatus.UNAUTHORIZED


class TestElsewhere:
    def test_the_admins_form_ends_all_sessions(self, admin_client, user, device, phone):
        answer = admin_client.post(
            f"/admin/accounts/user/{user.pk}/password/",
            {"usable_password": "true", "password1": NEW, "password2": NEW},
        )

        assert answer.status_code == HTTPStatus.FOUND
        assert_signed_out(device, phone)
        assert reasons() == {"password"}

    def test_taking_the_password_away_in_the_admin_ends_them_as_well(
        self, admin_client, user, device
    ):
        answer = admin_client.post(
            f"/admin/accounts/user/{user.pk}/password/",
            {"usable_password": "false", "unset-password": "yes"},
        )

        assert answer.status_code == HTTPStatus.FOUND
        assert_signed_out(device)

    def test_the_command_ends_all_sessions(self, user, device, phone, monkeypatch):
        monkeypatch.setattr(changepassword.getpass, "getpass", lambda *args, **kwargs: NEW)

        call_command("changepassword", user.email, stdout=StringIO())

        assert_signed_out(device, phone)
        assert device.log_in(password=NEW).status_code == HTTPStatus.OK

    def test_the_reset_link_ends_all_sessions_and_works_once(self, user, device, phone, rf):
        (found,) = PasswordResetForm().get_users(user.email)
        link = default_token_generator.make_token(found)
        form = SetPasswordForm(found, {"new_password1": NEW, "new_password2": NEW})

        assert form.is_valid()
        form.save()

        assert_signed_out(device, phone)
        user.refresh_from_db()
        assert not default_token_generator.check_token(user, link)

    def test_setting_none_ends_them_and_the_next_save_ends_nothing_more(self, user, device):
        user.set_password(None)
        user.save()
        assert_signed_out(device)

        OutstandingTokenFactory(user=user)
        user.save()

        assert BlacklistedToken.objects.count() == 1

    def test_an_update_of_the_hash_ends_them(self, user, device):
        others = Device(UserFactory())
        others.log_in()

        type(user).objects.filter(pk=user.pk).update(password=make_password(NEW))

        assert_signed_out(device)
        assert others.me().status_code == HTTPStatus.OK
        assert device.log_in(password=NEW).status_code == HTTPStatus.OK


def test_hashing_the_same_password_anew_ends_nothing(user, device, phone, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = user.password

    assert Device(user).log_in().status_code == HTTPStatus.OK

    user.refresh_from_db()
    assert user.password != before
    assert user.password.startswith("pbkdf2_")
    assert device.refresh().status_code == phone.me().status_code == HTTPStatus.OK
    assert not reasons()
