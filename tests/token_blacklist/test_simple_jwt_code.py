"""Code that sites wrote for Simple JWT, and that works here unchanged."""

import datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend

from tests.support.factories import PASSWORD
from token_blacklist.models import BlacklistedToken, OutstandingToken, TokenUser
from token_blacklist.serializers import TokenObtainPairSerializer
from token_blacklist.settings import api_settings
from token_blacklist.tokens import RefreshToken
from token_blacklist.utils import (
    aware_utcnow,
    datetime_from_epoch,
    datetime_to_epoch,
    make_utc,
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
    """Signs in by the primary key, with any password."""

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


def test_times_become_numbers_and_back():
    noon = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)

    assert datetime_from_epoch(datetime_to_epoch(noon)) == noon
    assert make_utc(noon.replace(tzinfo=None)) == make_utc(noon) == noon
    assert aware_utcnow().tzinfo is datetime.UTC


def test_a_form_data_object_is_a_body(user, client):
    credentials = {user.USERNAME_FIELD: user.get_username(), "password": PASSWORD}
    signed_in = client.post("/api/token/", credentials)
    refreshed = client.post("/api/token/refresh/", {"refresh": signed_in.json()["refresh"]})
    client.post("/api/token/blacklist/", {"refresh": refreshed.json()["refresh"]})

    assert signed_in.status_code == refreshed.status_code == 200
    assert signed_in.wsgi_request.content_type == "multipart/form-data"
    assert BlacklistedToken.objects.get().token.user == user
