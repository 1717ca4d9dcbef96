"""What the authentication class says to DRF: not ours, who it is, or refused."""

import pytest
from rest_framework.test import APIRequestFactory

from tests.support.devices import user_id_claim
from token_blacklist.authentication import (
    JWTAuthentication,
    JWTStatelessUserAuthentication,
    TokenUser,
)
from token_blacklist.exceptions import AuthenticationFailed, InvalidToken
from token_blacklist.tokens import AccessToken, UntypedToken


def request(header):
    return APIRequestFactory().get("/", HTTP_AUTHORIZATION=header)


@pytest.mark.parametrize("header", ["", " ", "Basic YTpi", "Token abc", "Bearers abc"])
def test_a_header_of_another_scheme_is_left_to_others(header):
    assert JWTAuthentication().authenticate(request(header)) is None


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b"])
def test_a_header_of_our_scheme_without_one_token_is_refused(header):
    with pytest.raises(AuthenticationFailed) as refused:
        JWTAuthentication().authenticate(request(header))

    assert refused.value.detail["code"] == "bad_authorization_header"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "JWT"])
def test_a_request_is_its_user_and_its_token(device, user, options, scheme):
    options(AUTH_HEADER_TYPES=("Bearer", "JWT"))

    found, token = JWTAuthentication().authenticate(request(f"{scheme} {device.access}"))

    assert found == user
    assert token["jti"] == UntypedToken(device.access)["jti"]


def test_a_stateless_user_is_what_the_token_tells(user):
    token = AccessToken.for_user(user)
    token["is_staff"] = True
    token["tenant"] = "acme"

    found, _ = JWTStatelessUserAuthentication().authenticate(request(f"Bearer {token}"))

    assert found == TokenUser(token)
    assert found.pk == user_id_claim(user)
    assert found.tenant == "acme"
    assert (found.is_staff, found.is_superuser, found.is_anonymous) == (True, False, False)
    assert not hasattr(found, "password")


def test_a_token_of_nobody_is_no_stateless_user():
    with pytest.raises(InvalidToken):
        JWTStatelessUserAuthentication().authenticate(request(f"Bearer {AccessToken()}"))
