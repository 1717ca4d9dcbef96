"""The authentication classes for DRF: None, (user, token), or an exception."""

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
def test_a_header_of_another_scheme_is_left_to_other_authentication_classes(header):
    assert JWTAuthentication().authenticate(request(header)) is None


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b"])
def test_a_header_of_our_scheme_without_exactly_one_token_is_refused(header):
    with pytest.raises(AuthenticationFailed) as refused:
        JWTAuthentication().authenticate(request(header))

    assert refused.value.detail["code"] == "bad_authorization_header"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "JWT"])
def test_a_valid_token_authenticates_its_user_and_is_returned(device, user, options, scheme):
    options(AUTH_HEADER_TYPES=("Bearer", "JWT"))

    found, token = JWTAuthentication().authenticate(request(f"{scheme} {device.access}"))

    assert found == user
    assert token["jti"] == UntypedToken(device.access)["jti"]


def test_a_stateless_users_attributes_come_from_the_token(user):
    token = AccessToken.for_user(user)
    token["is_staff"] = True
    token["tenant"] = "acme"

    found, _ = JWTStatelessUserAuthentication().authenticate(request(f"Bearer {token}"))

    assert found == TokenUser(token)
    assert found.pk == user_id_claim(user)
    assert found.tenant == "acme"
    assert (found.is_staff, found.is_superuser, found.is_anonymous) == (True, False, False)
    assert not hasattr(found, "password")


def test_a_token_without_a_user_id_is_refused_as_stateless():
    with pytest.raises(InvalidToken):
        JWTStatelessUserAuthentication().authenticate(request(f"Bearer {AccessToken()}"))


class CookieAuthentication(JWTAuthentication):
    """Takes the token from a cookie if there is no header, as many sites do."""

    def authenticate(self, request):
        header = self.get_header(request)
        raw_token = self.get_raw_token(header) if header else request.COOKIES.get("access")
        if raw_token is None:
            return None
        token = self.get_validated_token(raw_token)
        return self.get_user(token), token


def test_a_subclass_can_take_the_token_from_a_cookie(device, user):
    factory = APIRequestFactory()
    by_cookie, by_header = factory.get("/"), request(f"Bearer {device.access}")
    by_cookie.COOKIES["access"] = device.access

    for each in (by_cookie, by_header):
        found, _ = CookieAuthentication().authenticate(each)
        assert found == user
    assert CookieAuthentication().authenticate(factory.get("/")) is None


def test_a_header_outside_latin_1_is_no_token():
    with pytest.raises(InvalidToken):
        JWTAuthentication().authenticate(request("Bearer \N{SNOWMAN}"))


def test_get_user_accepts_a_dict_of_claims(user):
    claims = {"user_id": user_id_claim(user)}

    assert JWTAuthentication().get_user(claims) == user
    assert JWTStatelessUserAuthentication().get_user(claims).pk == user_id_claim(user)
    with pytest.raises(InvalidToken):
        JWTAuthentication().get_user({"name": "Ada"})
