"""Code written for Simple JWT works unchanged."""

import datetime
from contextlib import suppress

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend

from token_blacklist.backends import TokenBackend
from token_blacklist.exceptions import TokenBackendError, TokenBackendExpiredToken
from token_blacklist.models import BlacklistedToken, OutstandingToken, TokenUser
from token_blacklist.serializers import TokenObtainPairSerializer
from token_blacklist.settings import api_settings
from token_blacklist.state import token_backend
from token_blacklist.tokens import AccessToken, RefreshToken
from token_blacklist.utils import (
    aware_utcnow,
)

pytestmark = pytest.mark.django_db


def test_a_loop_over_the_outstanding_tokens_signs_out_everywhere(user, device):
    for token in OutstandingToken.objects.filter(user=user):
        BlacklistedToken.objects.get_or_create(token=token)

    assert device.refresh().status_code == device.me().status_code == 401


def test_the_lists_are_searched_by_jti_of_any_generation(user, device):
    first = RefreshToken(device.refresh_token)["jti"]
    device.refresh()
    second = RefreshToken(device.refresh_token)["jti"]
    RefreshToken(device.refresh_token).blacklist()

    for jti in (first, second):
        session = OutstandingToken.objects.get(jti=jti, user=user)
        assert BlacklistedToken.objects.filter(token__jti=jti).get().token == session
    assert not OutstandingToken.objects.filter(jti="unknown").exists()
    assert not BlacklistedToken.objects.filter(token__jti="unknown").exists()


class ByNumber(BaseBackend):
    """An authentication backend that signs in by primary key, with any password."""

    def authenticate(self, request, number=None, password=None):
        return get_user_model().objects.filter(pk=number).first()


def test_a_subclass_names_the_field_that_users_sign_in_by(user, settings):
    class Serializer(TokenObtainPairSerializer):
        username_field = "number"

    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByNumber"]
    serializer = Serializer(data={"number": str(user.pk), "password": "any"})

    assert serializer.is_valid()
    assert serializer.user == user
    assert TokenObtainPairSerializer.username_field == user.USERNAME_FIELD


def test_a_subclass_keeps_more_claims_from_access_tokens(user):
    class Short(RefreshToken):
        no_copy_claims = (*RefreshToken.no_copy_claims, "secret")

    token = Short.for_user(user)
    token["secret"], token["public"] = "a", "b"

    assert "secret" not in token.access_token
    assert token.access_token["public"] == "b"
    assert repr(token) == repr(token.payload)


def test_the_options_and_the_stateless_user_are_where_simple_jwt_has_them():
    assert api_settings.USER_ID_CLAIM == "user_id"
    assert TokenUser({"user_id": "7"}).pk == "7"


def test_api_settings_user_settings_overrides_an_option():
    def forget():
        with suppress(AttributeError):  # where it was not read yet
            del api_settings.USER_ID_CLAIM

    api_settings.user_settings["USER_ID_CLAIM"] = "uid"
    forget()
    try:
        assert api_settings.USER_ID_CLAIM == "uid"
    finally:
        del api_settings.user_settings["USER_ID_CLAIM"]
        forget()
    assert api_settings.USER_ID_CLAIM == "user_id"


def test_the_backend_signs_and_verifies_by_the_settings(options):
    options(SIGNING_KEY="k" * 64, AUDIENCE="app", LEEWAY=5)
    token = token_backend.encode({"exp": 4_000_000_000, "name": "Ada"})

    assert (token_backend.algorithm, token_backend.signing_key) == ("HS256", "k" * 64)
    assert token_backend.get_leeway() == datetime.timedelta(seconds=5)
    assert token_backend.decode(token)["aud"] == "app"
    with pytest.raises(TokenBackendError):
        token_backend.decode(token + "x")
    assert token_backend.decode(token + "x", verify=False)["name"] == "Ada"
    assert AccessToken().get_token_backend() is token_backend


def test_a_backend_has_keys_of_its_own():
    ours = TokenBackend("HS512", "k" * 64, audience="app", issuer="here", leeway=5)
    token = ours.encode({"exp": 4_000_000_000})

    assert ours.decode(token) == {"exp": 4_000_000_000, "aud": "app", "iss": "here"}
    for other in (TokenBackend("HS512", "j" * 64, audience="app"), token_backend):
        with pytest.raises(TokenBackendError):
            other.decode(token)
    with pytest.raises(TokenBackendExpiredToken):
        ours.decode(ours.encode({"exp": int(aware_utcnow().timestamp()) - 6}))
    ours.decode(ours.encode({"exp": int(aware_utcnow().timestamp()) - 3}))
