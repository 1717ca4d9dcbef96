"""A site rotates a token by Simple JWT's own steps: it fails with the sentence to follow."""

from uuid import uuid4

import pytest

from token_blacklist.models import OutstandingToken
from token_blacklist.tokens import RefreshToken, SlidingToken

pytestmark = pytest.mark.django_db


def by_set_jti(token):
    token.set_jti()


def by_item(token):
    token["jti"] = uuid4().hex


def by_payload(token):
    token.payload.update(jti=uuid4().hex)


def rotated(token, new_id):
    """Return the signed token after the steps that many sites have copied."""
    new_id(token)
    token.set_exp()
    token.set_iat()
    return str(token)


def without_blacklisting(token):
    """Do nothing more."""


def blacklisting(token):
    token.blacklist()


@pytest.mark.parametrize("first", [blacklisting, without_blacklisting])
@pytest.mark.parametrize("new_id", [by_set_jti, by_item, by_payload])
@pytest.mark.parametrize("token_class", [RefreshToken, SlidingToken])
def test_a_new_id_for_a_token_is_refused_with_the_call_to_use(user, first, new_id, token_class):
    token = token_class(str(token_class.for_user(user)))

    first(token)
    with pytest.raises(NotImplementedError, match=r"token\.refresh\(\)"):
        rotated(token, new_id)


@pytest.mark.parametrize("new_id", [by_set_jti, by_item])
def test_a_new_id_for_a_token_of_simple_jwt_is_refused(user, new_id):
    first = RefreshToken.for_user(user)
    del first["sid"], first["auth_time"]
    token = RefreshToken(str(first))

    with pytest.raises(NotImplementedError, match=r"token\.refresh\(\)"):
        rotated(token, new_id)


def test_a_new_token_with_the_claims_of_another_is_refused(user):
    token = RefreshToken()
    for claim, value in RefreshToken.for_user(user).payload.items():
        if claim not in {"jti", "exp", "iat"}:
            token[claim] = value

    with pytest.raises(NotImplementedError, match="for_user"):
        str(token)


def test_the_call_to_use_returns_a_pair_that_works(user, device):
    signed = RefreshToken(device.refresh_token).refresh()

    device.access = signed["access"]
    assert device.me().status_code == 200
    assert device.refresh(signed["refresh"]).status_code == 200


def test_another_session_in_place_of_a_blacklisted_one_works(user, device):
    RefreshToken(device.refresh_token).blacklist()
    second = RefreshToken.for_user(user)

    device.access = str(second.access_token)
    assert device.me().status_code == 200
    assert device.refresh(str(second)).status_code == 200


def test_a_blacklisted_token_can_be_written(user):
    token = RefreshToken.for_user(user)
    encoded = str(token)
    token.blacklist()

    assert str(token) == encoded
    assert OutstandingToken.objects.count() == 1
