"""Changing a password by the API, the admin, the command and the reset link."""

import json
from http import HTTPStatus
from io import StringIO

import pytest
from django.contrib.auth.management.commands import changepassword
from django.core.management import call_command

from tests.support.devices import Device
from tests.support.factories import PASSWORD, OutstandingTokenFactory
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.serializers import TokenObtainPairSerializer
from token_blacklist.tokens import AccessToken

NEW_PASSWORD = "  a new and long password  "


def assert_signed_out(*devices):
    for device in devices:
        assert device.me().status_code == HTTPStatus.UNAUTHORIZED
        assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED


def reasons():
    return set(BlacklistedToken.objects.values_list("reason", flat=True))


class ObtainWithTeam(TokenObtainPairSerializer):
    @classmethod
    def get_token(cls, user):
        token = super().get_token(user)
        token["team"] = "red"
        return token


def refuse_and(refused, device):
    def session_of(token):
        refused.add(device.user.pk)
        return token["sid"]

    return session_of


class TestThroughTheAPI:
    def test_only_the_exact_new_password_signs_in(self, device):
        assert device.change_password(NEW_PASSWORD).status_code == HTTPStatus.OK

        assert device.log_in().status_code == HTTPStatus.UNAUTHORIZED
        assert device.log_in(password=NEW_PASSWORD.strip()).status_code == HTTPStatus.UNAUTHORIZED
        assert device.log_in(password=NEW_PASSWORD).status_code == HTTPStatus.OK

    @pytest.mark.parametrize("in_between", [True, False])
    def test_a_user_whom_user_authentication_rule_refuses_gets_no_new_pair(
        self, device, options, monkeypatch, in_between
    ):
        refused = set()
        options(USER_AUTHENTICATION_RULE=lambda user: user.pk not in refused)
        if in_between:  # called after the request was authenticated
            monkeypatch.setattr("accounts.views.sessions.session_of", refuse_and(refused, device))
        else:
            refused.add(device.user.pk)

        answer = device.change_password(NEW_PASSWORD)

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "access" not in answer.json()
        device.user.refresh_from_db()
        assert device.user.check_password(PASSWORD)
        assert OutstandingToken.objects.count() == 1

    def test_every_session_is_revoked_and_the_caller_gets_a_new_one(self, device, phone):
        attacker = Device(device.user)
        attacker.access, attacker.refresh_token = device.access, device.refresh_token

        answer = device.change_password(NEW_PASSWORD)

        assert sorted(answer.json()) == ["access", "refresh"]
        assert answer["Cache-Control"] == "no-store"
        assert_signed_out(attacker, phone)
        assert device.me().status_code == device.refresh().status_code == HTTPStatus.OK
        assert reasons() == {"password"}
        assert BlacklistedToken.objects.count() == 2

    def test_the_new_pair_has_the_claims_of_the_configured_obtain_serializer(self, device, options):
        options(TOKEN_OBTAIN_SERIALIZER=f"{__name__}.ObtainWithTeam")

        device.change_password(NEW_PASSWORD)

        assert AccessToken(device.access)["team"] == "red"

    def test_an_access_token_without_a_session_keeps_no_session(self, device, phone):
        device.access = str(AccessToken.for_user(device.user))

        old = device.refresh_token
        assert device.change_password(NEW_PASSWORD).status_code == HTTPStatus.OK
        assert phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert device.refresh(old).status_code == HTTPStatus.UNAUTHORIZED

    def test_a_change_sends_four_statements_for_any_number_of_sessions(self, user, device, options):
        options(USER_CLAIMS=None)
        OutstandingTokenFactory.create_batch(30, user=user)

        with statements("SELECT", "UPDATE", "INSERT", "INSERT"):
            device.change_password(NEW_PASSWORD)

    def test_a_wrong_old_password_changes_nothing(self, device, phone):
        answer = device.change_password(NEW_PASSWORD, old="wrong")

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json() == {"old_password": ["This is not your current password."]}
        assert phone.me().status_code == device.log_in().status_code == HTTPStatus.OK

    @pytest.mark.parametrize("weak", ["short", "password1", "8273645109", "person-own-words"])
    def test_a_weak_new_password_is_refused_with_the_reason(self, user, device, weak):
        type(user).objects.filter(pk=user.pk).update(name="Person Own Words")

        answer = device.change_password(weak)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert list(answer.json()) == ["new_password"]
        assert not reasons()

    @pytest.mark.parametrize("bad", [None, [], "", "a\x00b" * 5, "x" * 1025])
    @pytest.mark.parametrize("field", ["old_password", "new_password"])
    def test_invalid_input_is_refused_with_field_errors(self, device, field, bad):
        data = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, field: bad}

        answer = device.http.post(
            "/api/password/change/",
            json.dumps(data),
            content_type="application/json",
            **device.bearer,
        )

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert list(answer.json()) == [field]


class TestElsewhere:
    def test_the_admins_form_revokes_all_sessions(self, admin_client, user, device, phone):
        answer = admin_client.post(
            f"/admin/accounts/user/{user.pk}/password/",
            {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        )

        assert answer.status_code == HTTPStatus.FOUND
        assert_signed_out(device, phone)
        assert reasons() == {"password"}

    def test_disabling_the_password_in_the_admin_revokes_all_sessions(
        self, admin_client, user, device
    ):
        answer = admin_client.post(
            f"/admin/accounts/user/{user.pk}/password/",
            {"usable_password": "false", "unset-password": "yes"},
        )

        assert answer.status_code == HTTPStatus.FOUND
        assert_signed_out(device)

    def test_changepassword_revokes_all_sessions(self, user, device, phone, monkeypatch):
        monkeypatch.setattr(changepassword.getpass, "getpass", lambda *args, **kwargs: NEW_PASSWORD)

        call_command("changepassword", user.email, stdout=StringIO())

        assert_signed_out(device, phone)
        assert device.log_in(password=NEW_PASSWORD).status_code == HTTPStatus.OK
