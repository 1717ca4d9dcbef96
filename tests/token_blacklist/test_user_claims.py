"""USER_CLAIMS: claims that are computed each time an access token is issued."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.test import APIClient

from tests.support.devices import Device
from tests.support.statements import statements
from token_blacklist.models import OutstandingToken
from token_blacklist.tokens import AccessToken, RefreshToken, UntypedToken

pytestmark = pytest.mark.django_db


def is_staff(user):
    return {"staff": user.is_staff}


def fails(user):
    raise RuntimeError("the plan cannot be found out")


@pytest.fixture
def asked(options):
    options(USER_CLAIMS=f"{__name__}.is_staff")


@pytest.fixture
def promote(user):
    """Change the user's attribute that the claim contains."""

    def promote():
        type(user)._default_manager.filter(pk=user.pk).update(is_staff=True)

    return promote


def claims(token):
    return UntypedToken(token).payload


def test_user_claims_are_in_the_access_token_and_not_in_the_refresh_token(asked, device):
    assert claims(device.access)["staff"] is False
    assert "staff" not in claims(device.refresh_token)


def test_a_refresh_reads_the_claims_again(asked, device, promote):
    promote()

    device.refresh()

    assert claims(device.access)["staff"] is True
    assert "staff" not in claims(device.refresh_token)


def test_a_refresh_without_rotation_reads_the_claims_too(options, asked, device, promote):
    options(ROTATE_REFRESH_TOKENS=False)
    promote()

    with statements("SELECT"):
        device.refresh()

    assert claims(device.access)["staff"] is True


def test_a_sign_in_costs_nothing_more_and_a_refresh_one_select(asked, user):
    device = Device(user)
    with statements("SELECT", "INSERT"):
        assert device.log_in().status_code == HTTPStatus.OK
    old = device.refresh_token
    with statements("SELECT", "UPDATE"):
        assert device.refresh().status_code == HTTPStatus.OK
    with statements("SELECT", "UPDATE", "SELECT"):
        assert device.refresh(old).status_code == HTTPStatus.OK


def test_the_user_is_loaded_once_for_a_rule_and_the_claims(options, asked, device):
    options(USER_AUTHENTICATION_RULE=lambda user: user is not None)

    with statements("SELECT", "UPDATE"):
        assert device.refresh().status_code == HTTPStatus.OK


def test_a_repeat_gets_the_current_claims(asked, device, promote):
    old = device.refresh_token
    first = device.refresh(old).json()
    promote()

    again = device.refresh(old).json()

    assert again["refresh"] == first["refresh"]
    assert claims(again["access"])["staff"] is True


def test_a_failing_user_claims_function_does_not_consume_the_token(options, device):
    options(USER_CLAIMS=fails)
    device.http.raise_request_exception = False
    before = OutstandingToken.objects.values().get()

    assert device.refresh().status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert device.log_in().status_code == HTTPStatus.INTERNAL_SERVER_ERROR

    assert OutstandingToken.objects.values().get() == before
    options(USER_CLAIMS=is_staff)
    assert device.refresh().status_code == HTTPStatus.OK


def test_claims_that_cannot_be_serialized_do_not_consume_the_token(options, device):
    options(USER_CLAIMS=lambda user: {"since": timedelta(days=1)})
    device.http.raise_request_exception = False

    assert device.refresh().status_code == HTTPStatus.INTERNAL_SERVER_ERROR

    assert OutstandingToken.objects.get().generation == 0


def test_a_sliding_token_has_the_claims_and_a_refresh_reads_them_again(asked, user, promote):
    http = APIClient()
    answer = http.post("/api/token/sliding/", Device(user).credentials, format="json")
    token = answer.json()["token"]
    promote()

    with statements("SELECT", "UPDATE"):
        answer = http.post("/api/token/sliding/refresh/", {"token": token}, format="json")

    assert claims(token)["staff"] is False
    assert claims(answer.json()["token"])["staff"] is True


def test_every_way_to_issue_an_access_token_adds_the_claims(asked, user, promote):
    issued = RefreshToken.for_user(user)
    assert AccessToken.for_user(user)["staff"] is False
    assert issued.access_token["staff"] is False
    promote()

    with statements("SELECT"):
        assert RefreshToken.authentic(str(issued)).access_token["staff"] is True


def test_the_function_is_not_called_for_a_deactivated_user(options, asked, device):
    type(device.user)._base_manager.filter(pk=device.user.pk).update(is_active=False)
    options(USER_CLAIMS=fails)

    answer = device.refresh()

    assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")


@pytest.mark.parametrize("claim", ["exp", "sid", "auth_time", "remember", "user_id"])
def test_overriding_a_reserved_claim_is_an_error_that_names_it(options, user, claim):
    options(USER_CLAIMS=lambda user: {claim: "mine"})

    with pytest.raises(ImproperlyConfigured, match=f"'{claim}'"):
        AccessToken.for_user(user)
