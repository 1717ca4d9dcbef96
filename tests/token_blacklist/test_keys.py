"""Signing and verifying tokens, with every algorithm."""

import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.utils import timezone

from tests.support.keys import private_key, signed_by
from token_blacklist import keys
from token_blacklist.exceptions import ExpiredTokenError, TokenError
from token_blacklist.keys.key import ALGORITHMS
from token_blacklist.keys.key_set import current_set

SECRET = "k" * 64
FOREVER = {"exp": 4_000_000_000, "name": "Ada"}


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def public_pem(key):
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@pytest.fixture(params=sorted(ALGORITHMS))
def algorithm(request, options):
    name = request.param
    key = SECRET if name.startswith("HS") else private_pem(private_key(name))
    options(ALGORITHM=name, SIGNING_KEY=key)
    return name


def test_each_algorithm_verifies_what_it_signed(algorithm):
    token = keys.encode(FOREVER)

    assert keys.decode(token) == FOREVER
    assert jwt.get_unverified_header(token)["alg"] == algorithm


def test_each_algorithm_refuses_a_changed_token(algorithm):
    head, body, signature = keys.encode(FOREVER).split(".")
    other = keys.encode({**FOREVER, "name": "Eve"}).split(".")[1]

    with pytest.raises(TokenError):
        keys.decode(f"{head}.{other}.{signature}")
    with pytest.raises(TokenError):
        keys.decode(f"{head}.{body}.")


def test_equal_claims_give_equal_tokens_with_deterministic_algorithms(algorithm):
    again = keys.encode(FOREVER) == keys.encode(dict(FOREVER))

    assert again == algorithm.startswith(("HS", "RS", "Ed"))


@pytest.mark.parametrize(
    "header", [{"b64": False, "crit": ["b64"]}, {"crit": ["exp"]}, {"crit": []}, {"kid": 7}]
)
def test_a_token_with_a_critical_or_malformed_header_is_refused(options, header):
    options(ALGORITHM="HS256", SIGNING_KEY=SECRET)
    body = keys.encode(FOREVER).split(".")[1]
    written = json.dumps({"alg": "HS256", **header}).encode()
    message = f"{jwt.utils.base64url_encode(written).decode()}.{body}"
    signature = jwt.get_algorithm_by_name("HS256").sign(message.encode(), SECRET.encode())
    for payload in (body, ""):
        token = message.replace(f".{body}", f".{payload}")

        with pytest.raises(TokenError):
            keys.decode(f"{token}.{jwt.utils.base64url_encode(signature).decode()}")


@pytest.mark.parametrize("other", ["none", "HS384", "HS512"])
def test_only_the_configured_algorithm_is_accepted(options, other):
    options(ALGORITHM="HS256", SIGNING_KEY=SECRET)
    token = jwt.encode(FOREVER, None if other == "none" else SECRET, algorithm=other)

    with pytest.raises(TokenError):
        keys.decode(token)


def test_a_token_signed_with_the_public_key_as_hmac_secret_is_refused(options):
    key = private_key("RS256")
    options(ALGORITHM="RS256", SIGNING_KEY=private_pem(key))
    body = jwt.utils.base64url_encode(b'{"exp":4000000000}').decode()
    head = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT"}').decode()
    import hashlib
    import hmac

    mac = hmac.digest(public_pem(key).encode(), f"{head}.{body}".encode(), hashlib.sha256)
    token = f"{head}.{body}.{jwt.utils.base64url_encode(mac).decode()}"

    with pytest.raises(TokenError):
        keys.decode(token)


def test_tokens_contain_audience_and_issuer_and_are_refused_with_others(options):
    options(AUDIENCE="app", ISSUER="https://auth.example.com")
    token = keys.encode(FOREVER)
    assert keys.decode(token) == {**FOREVER, "aud": "app", "iss": "https://auth.example.com"}

    for change in ({"AUDIENCE": "other"}, {"ISSUER": "https://evil.example.com"}):
        options(AUDIENCE="app", ISSUER="https://auth.example.com")
        options(**change)
        with pytest.raises(TokenError):
            keys.decode(token)


def test_a_token_equals_the_one_that_pyjwt_signs(options):
    options(ALGORITHM="HS256", SIGNING_KEY=SECRET)
    claims = {**FOREVER, "name": "Zoë", "nbf": datetime(2026, 1, 1, tzinfo=UTC)}

    kid = jwt.get_unverified_header(keys.encode(claims))["kid"]
    expected = jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": kid})
    assert keys.encode(claims) == expected


def test_a_claim_that_json_cannot_serialize_is_an_error_with_its_type():
    with pytest.raises(TypeError, match="set cannot be written into a token"):
        keys.encode({**FOREVER, "groups": {"readers"}})


@pytest.fixture
def signatures(monkeypatch):
    """Count the signatures that are verified."""
    counted = []
    method = jwt.get_algorithm_by_name(keys.token_backend.algorithm)
    verify = method.verify
    monkeypatch.setattr(method, "verify", lambda *a: counted.append(a) or verify(*a))
    return counted


def test_a_tokens_signature_is_verified_once_and_its_times_at_each_use(clock, signatures):
    token = keys.encode({"exp": timezone.now().timestamp() + 60, "iat": 0})
    for _ in range(3):
        keys.decode(token)
    assert len(signatures) == 1

    clock.shift(61)

    with pytest.raises(ExpiredTokenError):
        keys.decode(token)


def test_a_verified_token_is_refused_after_the_clock_was_set_back_before_its_iat(clock):
    clock.shift(3600)
    token = keys.encode({"exp": 4_000_000_000, "iat": timezone.now().timestamp()})
    keys.decode(token)

    clock.shift(-3600)

    with pytest.raises(TokenError):
        keys.decode(token)


def test_a_verified_token_is_refused_after_its_key_was_removed(options):
    options(SIGNING_KEY=SECRET)
    token = keys.encode(FOREVER)
    keys.decode(token)

    options(SIGNING_KEY="j" * 64)

    with pytest.raises(TokenError):
        keys.decode(token)


def test_a_caller_cannot_change_the_claims_of_a_verified_token():
    token = keys.encode({**FOREVER, "groups": ["readers"]})
    keys.decode(token)["groups"].append("admins")

    assert keys.decode(token)["groups"] == ["readers"]


@pytest.mark.parametrize("leeway", [30, timedelta(seconds=30)])
def test_the_leeway_is_in_seconds_or_a_timedelta(options, clock, leeway):
    import time

    token = keys.encode({"exp": int(time.time())})
    options(LEEWAY=leeway)
    clock.shift(29)
    assert keys.decode(token)

    clock.shift(2)
    with pytest.raises(ExpiredTokenError):
        keys.decode(token)


def test_a_token_without_exp_is_refused():
    with pytest.raises(TokenError):
        keys.decode(keys.encode({"name": "Ada"}))


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_an_iat_or_nbf_a_few_seconds_in_the_future_is_accepted(clock, claim):
    clock.move_to(1_800_000_000.95)
    token = keys.encode({**FOREVER, claim: 1_800_000_030})

    assert keys.decode(token)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_an_iat_or_nbf_beyond_the_tolerance_is_refused(clock, claim):
    ahead = timezone.now() + timedelta(seconds=32)
    token = keys.encode({**FOREVER, claim: keys.epoch(ahead)})

    with pytest.raises(TokenError):
        keys.decode(token)


@pytest.mark.parametrize("value", [None, "soon", float("nan"), float("inf")])
@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_an_iat_or_nbf_that_is_not_a_number_is_refused(claim, value):
    token = signed_by(current_set().keys[0], {**FOREVER, claim: value})

    with pytest.raises(TokenError):
        keys.decode(token)


def test_a_longer_leeway_applies_to_iat_too(options, clock):
    options(LEEWAY=timedelta(minutes=2))
    token = keys.encode({**FOREVER, "iat": keys.epoch(timezone.now() + timedelta(minutes=1))})

    assert keys.decode(token)


def test_exp_is_exact_without_a_leeway(clock):
    token = keys.encode({"exp": keys.epoch(timezone.now())})
    clock.shift(1)

    with pytest.raises(ExpiredTokenError):
        keys.decode(token)
