"""Signing in at the token endpoints: both tokens are signed, then one INSERT opens the session."""

from http import HTTPStatus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.devices import Device
from token_blacklist.keys import TokenBackend
from token_blacklist.models import OutstandingToken
from token_blacklist.serializers import TokenObtainPairSerializer
from token_blacklist.tokens import RefreshToken

pytestmark = pytest.mark.django_db(transaction=True)


class LooksForTheRow(TokenObtainPairSerializer):
    """A serializer of a site that reads the session's row before the tokens are signed."""

    @classmethod
    def get_token(cls, user):
        token = super().get_token(user)
        token["row"] = OutstandingToken.objects.get(session_id=token["sid"]).pk
        return token


@pytest.fixture
def unable_to_sign(monkeypatch):
    """Let signing fail, as with a key whose file has become unreadable."""

    def fail(self, claims):
        raise OSError("the key cannot be read")

    monkeypatch.setattr(TokenBackend, "encode", fail)


def verbs(captured):
    return [each["sql"].split()[0] for each in captured]


def test_a_sign_in_needs_no_transaction(user):
    connection.ensure_connection()

    with CaptureQueriesContext(connection) as captured:
        assert Device(user).log_in().status_code == HTTPStatus.OK

    assert verbs(captured) == ["SELECT", "INSERT"]


def test_a_get_token_of_the_site_finds_the_row(user):
    pair = LooksForTheRow.new_session(user, None)

    assert RefreshToken(pair["refresh"])["row"] == OutstandingToken.objects.get().pk


def test_code_of_the_site_leaves_no_row_if_the_tokens_cannot_be_signed(user, unable_to_sign):
    with pytest.raises(OSError, match="the key"):
        LooksForTheRow.new_session(user, None)

    assert not OutstandingToken.objects.exists()


@pytest.mark.parametrize("name", ["ON_LOGIN_SUCCESS", "UPDATE_LAST_LOGIN"])
def test_a_step_of_the_site_that_fails_leaves_no_row(user, options, monkeypatch, name):
    def fail(*args, **kwargs):
        raise OSError("the step failed")

    monkeypatch.setattr("token_blacklist.serializers.update_last_login", fail)
    options(**{name: fail})

    with pytest.raises(OSError, match="the step failed"):
        Device(user).log_in()

    assert not OutstandingToken.objects.exists()
