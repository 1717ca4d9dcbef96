"""USER_AUTHENTICATION_RULE is called at every use of a token, and never without a user."""

import hashlib
from base64 import b64encode
from http import HTTPStatus

import pytest
from rest_framework.test import APIClient

from tests.support.devices import Device
from tests.support.statements import statements
from token_blacklist.authentication import JWTAuthentication
from token_blacklist.models import OutstandingToken
from token_blacklist.tokens import RefreshToken

REFUSED = HTTPStatus.UNAUTHORIZED
SERVICE = "Basic " + b64encode(b"shop:secret").decode()


@pytest.fixture
def rule(options):
    """A rule that raises for None, as most rules of sites do."""

    def allows(user):
        asked.append(user)
        return user.email not in refused

    asked, refused = [], set()
    allows.asked, allows.refused = asked, refused
    options(
        USER_AUTHENTICATION_RULE=allows,
        AUTH_TOKEN_CLASSES=(
            "token_blacklist.tokens.AccessToken",
            "token_blacklist.tokens.SlidingToken",
        ),
        INTROSPECTION_CLIENTS={"shop": [hashlib.sha256(b"secret").hexdigest()]},
    )
    return allows


@pytest.fixture
def uses(user, rule):
    """Every use of a user's tokens by name; each function returns whether it was accepted."""
    device, http = Device(user), APIClient()
    assert device.log_in().status_code == HTTPStatus.OK
    sliding = device.post("/api/token/sliding/", device.credentials).json()["token"]
    access, refresh = device.access, device.refresh_token

    def check():
        return http.get("/api/token/check/", **device.bearer).status_code == 204

    def introspect(token):
        answer = http.post("/api/token/introspect/", {"token": token}, HTTP_AUTHORIZATION=SERVICE)
        return answer.json()["active"]

    def accepted(response):
        assert response.status_code in {HTTPStatus.OK, REFUSED}
        return response.status_code == HTTPStatus.OK

    return {
        "sign in": lambda: accepted(Device(user).log_in()),
        "request": lambda: accepted(device.me(access)),
        "request by a sliding token": lambda: accepted(device.me(sliding)),
        "check": check,
        "verify": lambda: accepted(device.verify(access)),
        "verify a refresh token": lambda: accepted(device.verify(refresh)),
        "verify a sliding token": lambda: accepted(device.verify(sliding)),
        "introspection": lambda: introspect(access),
        "introspection of a refresh token": lambda: introspect(refresh),
        "refresh": lambda: accepted(device.refresh(refresh)),
        "repeated refresh": lambda: accepted(device.refresh(refresh)),
        "refresh of a sliding token": lambda: accepted(
            device.post("/api/token/sliding/refresh/", {"token": sliding})
        ),
    }


def accepted(uses):
    return {name for name, use in uses.items() if use()}


@pytest.mark.services
def test_a_user_whom_the_rule_allows_can_use_every_endpoint(uses):
    assert accepted(uses) == uses.keys()


@pytest.mark.services
def test_a_user_whom_the_rule_refuses_after_sign_in_can_use_no_endpoint(uses, rule, user):
    rule.refused.add(user.email)

    assert accepted(uses) == set()


@pytest.mark.services
@pytest.mark.parametrize("rotate", [True, False])
def test_the_rule_is_never_asked_about_a_deleted_user(uses, rule, user, options, rotate):
    options(ROTATE_REFRESH_TOKENS=rotate)
    type(user)._base_manager.filter(pk=user.pk).delete()
    rule.asked.clear()

    assert accepted(uses) == set()
    assert rule.asked == []


def test_a_repeat_asks_the_rule_too(user, rule):
    device = Device(user)
    device.log_in()
    old = RefreshToken(device.refresh_token)
    device.refresh()
    rule.refused.add(user.email)

    with pytest.raises(Exception, match="deactivated or no longer exists"):
        old.refresh()


def test_a_user_whom_the_rule_refuses_can_still_sign_out(user, rule):
    device = Device(user)
    device.log_in()
    rule.refused.add(user.email)

    assert device.log_out().status_code == HTTPStatus.OK
    assert not OutstandingToken.objects.live().exists()


def test_get_user_with_a_dict_of_claims_asks_the_rule(user, rule):
    token = RefreshToken.for_user(user).access_token
    rule.refused.add(user.email)

    with pytest.raises(Exception, match="deactivated"):
        JWTAuthentication().get_user(token.payload)


def test_a_rule_costs_one_more_select_only_at_a_refresh(user, rule):
    device = Device(user)
    with statements("SELECT", "INSERT"):
        device.log_in()
    with statements("SELECT"):
        device.me()
    with statements("SELECT"):
        device.verify(device.refresh_token)
    with statements("SELECT", "UPDATE"):
        assert device.refresh().status_code == HTTPStatus.OK


def test_the_default_rule_set_by_name_costs_no_select(device, options):
    options(
        USER_AUTHENTICATION_RULE="token_blacklist.authentication.default_user_authentication_rule"
    )

    with statements("UPDATE"):
        assert device.refresh().status_code == HTTPStatus.OK
