"""A site gives a token another expiry: that of the session follows."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.devices import Device
from token_blacklist.exceptions import TokenError
from token_blacklist.models import OutstandingToken
from token_blacklist.serializers import TokenObtainPairSerializer
from token_blacklist.tokens import AccessToken, RefreshToken, SlidingToken

pytestmark = pytest.mark.django_db

LONG = timedelta(days=20)


def by_lifetime(token):
    token.set_exp(lifetime=LONG)


def by_number(token):
    token["exp"] = int((timezone.now() + LONG).timestamp())


def by_own_lifetime(token):
    token.lifetime = LONG
    token.set_exp()


WAYS = [by_lifetime, by_number, by_own_lifetime]


class Remembering(TokenObtainPairSerializer):
    @classmethod
    def get_token(cls, user):
        token = super().get_token(user)
        token.set_exp(lifetime=LONG)
        return token


class AfterValidation(TokenObtainPairSerializer):
    def validate(self, attrs):
        data = super().validate(attrs)
        token = RefreshToken(data["refresh"])
        token.set_exp(lifetime=LONG)
        return {**data, "refresh": str(token)}


def exp(encoded):
    return RefreshToken.with_claims(RefreshToken.token_backend.decode(encoded))["exp"]


def expires_at():
    return OutstandingToken.objects.get().expires_at.timestamp()


@pytest.mark.parametrize("way", WAYS)
def test_a_new_token_is_accepted_until_its_expiry(user, way):
    token = RefreshToken.for_user(user)
    way(token)
    encoded = str(token)

    assert exp(encoded) == expires_at()
    with time_machine.travel(timezone.now() + LONG - timedelta(minutes=1), tick=False):
        assert Device(user).refresh(encoded).status_code == 200
    with time_machine.travel(timezone.now() + LONG + timedelta(minutes=1), tick=False):
        assert Device(user).refresh(encoded).status_code == 401


@pytest.mark.parametrize("serializer", [Remembering, AfterValidation])
def test_a_serializer_of_the_site_opens_a_longer_session(user, options, serializer):
    options(TOKEN_OBTAIN_SERIALIZER=serializer)
    device = Device(user)

    assert device.log_in().status_code == 200

    assert exp(device.refresh_token) == expires_at()
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert device.refresh().status_code == 200


@pytest.mark.parametrize("way", WAYS)
def test_a_decoded_token_takes_its_session_along(user, way):
    token = RefreshToken(str(RefreshToken.for_user(user)))
    way(token)
    encoded = str(token)

    assert exp(encoded) == expires_at()
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert Device(user).refresh(encoded).status_code == 200


def test_a_sliding_token_takes_its_session_along(user):
    token = SlidingToken(str(SlidingToken.for_user(user)))
    token.set_exp(lifetime=LONG)
    token.set_iat()
    encoded = str(token)

    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert SlidingToken(encoded).get_user() == user


def test_a_shorter_expiry_shortens_the_session(user):
    token = RefreshToken.for_user(user)
    token.set_exp(lifetime=timedelta(minutes=10))

    assert exp(str(token)) == expires_at() < (timezone.now() + timedelta(hours=1)).timestamp()


def test_no_expiry_is_later_than_session_lifetime_allows(user, options):
    options(SESSION_LIFETIME=timedelta(days=5))
    token = RefreshToken.for_user(user)
    token.set_exp(lifetime=LONG)

    assert exp(str(token)) == expires_at() == token["auth_time"] + 5 * 86400


def test_the_refresh_of_a_remembered_session_has_the_lifetime_of_the_options(user):
    token = RefreshToken.for_user(user)
    token.set_exp(lifetime=LONG)
    device = Device(user)

    device.refresh(str(token))

    # As with Simple JWT.
    assert exp(device.refresh_token) == expires_at() < (timezone.now() + LONG).timestamp()


def test_a_token_of_an_ended_session_gets_no_other_expiry(user):
    token = RefreshToken.for_user(user)
    token.blacklist()
    before = expires_at()
    token.set_exp(lifetime=LONG)

    with pytest.raises(TokenError, match="blacklisted"):
        str(token)
    assert expires_at() == before


def test_an_outdated_token_moves_no_expiry(user, options):
    options(ROTATION_GRACE_PERIOD=timedelta(0))
    token = RefreshToken(str(RefreshToken.for_user(user)))
    RefreshToken(str(token)).refresh()
    before = expires_at()
    token.set_exp(lifetime=LONG)

    with pytest.raises(TokenError, match="blacklisted"):
        str(token)
    assert expires_at() == before


def test_a_token_that_needs_no_record_takes_any_expiry(user, options):
    options(REQUIRE_OUTSTANDING=False)
    first = RefreshToken.for_user(user)
    del first["sid"], first["auth_time"]
    OutstandingToken.objects.all().delete()
    token = RefreshToken(str(first))
    token.set_exp(lifetime=LONG)

    assert RefreshToken(str(token)).get_user() == user


def test_an_access_token_never_outlives_its_refresh_token(user):
    refresh = RefreshToken.for_user(user)
    access = refresh.access_token
    access.set_exp(lifetime=timedelta(days=365))

    assert AccessToken(str(access))["exp"] == refresh["exp"]


def test_another_expiry_is_one_update_and_the_same_expiry_none(user):
    token = RefreshToken.for_user(user)
    with CaptureQueriesContext(connection) as captured:
        str(token)
    assert not captured.captured_queries

    token.set_exp(lifetime=LONG)
    with CaptureQueriesContext(connection) as captured:
        str(token)
        str(token)
    assert [each["sql"].split()[0] for each in captured] == ["UPDATE"]
