"""Values of a host: keys as bytes, claims that JSON does not have."""

import math

import jwt
import pytest

from tests.support.keys import private_key
from tests.token_blacklist.test_keys import private_pem, public_pem
from token_blacklist import keys
from token_blacklist.checks import check_settings
from token_blacklist.exceptions import TokenError
from token_blacklist.tokens import AccessToken, RefreshToken

SECRET = b"\xff\xfe" + b"k" * 62  # not even text


@pytest.mark.parametrize("algorithm", ["HS256"])
def test_a_secret_may_be_bytes(options, algorithm):
    options(ALGORITHM=algorithm, SIGNING_KEY=SECRET)

    token = str(AccessToken())

    assert check_settings() == []
    assert jwt.decode(token, SECRET, algorithms=[algorithm])["jti"] == AccessToken(token)["jti"]


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_a_key_pair_may_be_bytes(options, algorithm):
    private = private_key(algorithm)
    signing, verifying = private_pem(private).encode(), public_pem(private).encode()

    options(ALGORITHM=algorithm, SIGNING_KEY=signing, VERIFYING_KEY=verifying)
    token = str(AccessToken())

    assert check_settings() == []
    options(ALGORITHM=algorithm, SIGNING_KEY=None, VERIFYING_KEY=verifying)
    assert check_settings() == []
    assert AccessToken(token)


@pytest.mark.parametrize(
    "value",
    [math.nan, "\ud800", {"\ud800": 1}, [{"x": math.inf}], {1}],
)
@pytest.mark.parametrize("kind", [AccessToken, RefreshToken])
def test_a_claim_that_json_does_not_have_is_refused_when_the_token_is_made(kind, value):
    token = kind()
    token["score"] = value

    with pytest.raises((TypeError, ValueError)):
        str(token)


@pytest.mark.parametrize("value", ["😀", "\\ud800", "é\x00", 2**64])
def test_a_claim_that_json_has_is_read_as_it_was_written(value):
    token = AccessToken()
    token["score"] = value

    assert AccessToken(str(token))["score"] == value


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_token_of_another_program_with_such_a_claim_is_refused(options, value):
    """It could be read, but its refresh could not be written."""
    options(ALGORITHM="HS256", SIGNING_KEY=SECRET)
    token = jwt.encode({**RefreshToken().payload, "score": value}, SECRET)

    with pytest.raises(TokenError):
        keys.decode(token)
