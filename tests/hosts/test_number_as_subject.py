"""Tokens of Simple JWT before 5.5 have a number in `sub`, if it is the claim for the user."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.devices import Device
from token_blacklist.exceptions import TokenError
from token_blacklist.keys import decode, encode
from token_blacklist.models import OutstandingToken

pytestmark = pytest.mark.django_db


NUMBER, TEXT = int, str


@pytest.fixture
def claims(user, options):
    """The claims that Simple JWT's tokens have in common."""
    options(USER_ID_CLAIM="sub")
    now = int(timezone.now().timestamp())
    OutstandingToken.objects.create(
        user=user, session_id="a" * 32, expires_at=timezone.now() + timedelta(days=1)
    )
    return {"exp": now + 86400, "iat": now, "jti": "a" * 32}


@pytest.mark.parametrize("kind", [NUMBER, TEXT])
def test_a_refresh_token_of_simple_jwt_is_refreshed(user, claims, kind):
    device = Device(user)
    claims |= {"token_type": "refresh", "sub": kind(user.pk)}

    assert device.refresh(encode(claims)).status_code == 200
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200
    assert device.log_out().status_code == 200


@pytest.mark.parametrize("kind", [NUMBER, TEXT])
def test_an_access_token_of_simple_jwt_is_accepted(user, claims, kind):
    device = Device(user)
    device.access = encode(claims | {"token_type": "access", "sub": kind(user.pk), "jti": "b" * 32})

    assert device.me().status_code == 200
    assert device.verify(device.access).status_code == 200


@pytest.mark.parametrize("subject", [0, "7", "ada"])
def test_a_subject_is_a_number_or_a_text(subject):
    assert decode(encode({"exp": 2**33, "sub": subject}))["sub"] == subject


@pytest.mark.parametrize("subject", [True, 1.5, None, ["7"]])
def test_any_other_subject_is_refused(subject):
    with pytest.raises(TokenError, match="invalid"):
        decode(encode({"exp": 2**33, "sub": subject}))
