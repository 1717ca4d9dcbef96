"""Malformed input is refused with 4xx, JSON and a message, and does not affect other sessions."""

from __future__ import annotations

import base64
import json
import time
import uuid
from types import SimpleNamespace

import jwt
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from rest_framework.test import APIClient

from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.parts import only_with
from token_blacklist import users
from token_blacklist.exceptions import TokenError
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import RefreshToken, SlidingToken, UntypedToken

KEY = settings.TOKEN_BLACKLIST["SIGNING_KEY"]
ENDPOINTS = {
    "login": "/api/token/",
    "refresh": "/api/token/refresh/",
    "verify": "/api/token/verify/",
    "blacklist": "/api/token/blacklist/",
} | dict(
    only_with(
        "sliding",
        ("sliding", "/api/token/sliding/"),
        ("sliding refresh", "/api/token/sliding/refresh/"),
    )
)
TOKEN_FIELD = {
    "refresh": "refresh",
    "verify": "token",
    "blacklist": "refresh",
} | dict(only_with("sliding", ("sliding refresh", "token")))
MISSING = "the claim is missing"


@pytest.fixture
def live_device(device, user):
    """A device whose session still works after the test."""
    yield device
    session = OutstandingToken.objects.get(session_id=UntypedToken(device.access)["sid"])
    assert session.generation == 0
    assert not session.is_blacklisted
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200


def is_a_clear_refusal(answer, *statuses):
    assert answer.status_code in (statuses or range(400, 500)), answer.content[:300]
    body = json.loads(answer.content)
    if set(body) >= {"detail", "code"}:
        assert isinstance(body["detail"], str)
        assert body["detail"]
        assert body["code"]
    else:
        assert body
        assert all(errors and isinstance(errors[0], str) for errors in body.values())
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"].startswith("Bearer")
    return True


def send(endpoint, token):
    """Send the token to the endpoint; to /api/me/ in the header."""
    if endpoint == "me":
        return APIClient().get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {token}")
    body = json.dumps({TOKEN_FIELD[endpoint]: token})  # DRF's client cannot send a lone surrogate
    return APIClient().post(ENDPOINTS[endpoint], body, content_type="application/json")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header, payload=b"{}"):
    return f"{b64(header)}.{b64(payload)}.{b64(b'signature')}"


def forged(claims):
    """Return tokens signed without the key or with another algorithm."""
    good = jwt.encode(claims, KEY, algorithm="HS256")
    head, body, signature = good.split(".")
    lower, rsa = b64(b'{"alg":"hs256","typ":"JWT"}'), b64(b'{"alg":"RS256","typ":"JWT"}')
    deep = b"[" * 20_000 + b"]" * 20_000
    return {
        "tampered": f"{head}.{b64(json.dumps({**claims, 'x': 1}).encode())}.{signature}",
        "mis-signed": jwt.encode(claims, "another key" * 10, algorithm="HS256"),
        "alg none": jwt.encode(claims, None, algorithm="none"),
        "alg of another length": jwt.encode(claims, KEY, algorithm="HS512"),
        "alg in lower case": f"{lower}.{body}.{signature}",
        "alg RS256": f"{rsa}.{body}.{signature}",
        "alg a list": unsigned(b'{"alg":["HS256"]}'),
        "no signature": f"{head}.{body}.",
        "cut off": good[:-1],
        "two parts": f"{head}.{body}",
        "one word": "token",
        "not ASCII": "\u00e9.\u00e9.\u00e9",
        "very long": "a" * 65_000,
        "header deep": unsigned(deep),
        "header with a huge number": unsigned(b'{"alg":"HS256","n":' + b"9" * 10_000 + b"}"),
        "header a list": unsigned(b"[]"),
        "crit": jwt.encode(claims, KEY, algorithm="HS256", headers={"crit": ["x"], "x": 1}),
    }


@pytest.mark.parametrize("kind", forged({}))
def test_a_forged_token_is_refused(live_device, kind):
    token = forged(RefreshToken(live_device.refresh_token).payload)[kind]

    for endpoint in (*TOKEN_FIELD, *(["me"] if token.isascii() else [])):
        assert is_a_clear_refusal(send(endpoint, token), 401)
    assert not BlacklistedToken.objects.exists()


@pytest.mark.parametrize("value", [None, 1, True, ["a"], {"a": 1}, "", "\x00", "\ud800"])
def test_a_token_that_is_not_a_string_is_refused(db, value):
    for endpoint in TOKEN_FIELD:
        assert is_a_clear_refusal(send(endpoint, value), 400, 401)


@pytest.mark.parametrize("endpoint", [*TOKEN_FIELD, "me"])
@pytest.mark.parametrize("claims", [{"exp": -10}, {"nbf": 60}, {"iat": 60}])
def test_an_expired_or_not_yet_valid_token_is_refused(live_device, endpoint, claims):
    now = int(time.time())
    base = RefreshToken(live_device.refresh_token).payload
    if endpoint == "me":
        base = UntypedToken(live_device.access).payload
    times = {name: now + seconds for name, seconds in claims.items()}

    answer = send(endpoint, jwt.encode({**base, **times}, KEY, algorithm="HS256"))

    assert is_a_clear_refusal(answer, 401)


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        ("refresh", "access"),
        ("blacklist", "access"),
        *only_with("sliding", ("sliding refresh", "access"), ("sliding refresh", "refresh")),
        ("refresh", "sliding"),
        ("me", "refresh"),
    ],
)
def test_a_token_of_another_type_is_refused(live_device, user, endpoint, kind):
    token = {
        "access": live_device.access,
        "refresh": live_device.refresh_token,
        "sliding": str(SlidingToken.for_user(user)),
    }[kind]

    assert is_a_clear_refusal(send(endpoint, token), 401)


# What a holder of the key could sign, and a database or Python could stumble over.
MALFORMED_VALUES = [
    MISSING,
    *(None, True, 1.5, [], {}, "", "a\x00b", "\ud800", "x" * 300),
    *(-1, 10**18, 10**400, float("inf"), float("nan"), "abc", "1e3"),
]
CLAIMS = ["exp", "iat", "jti", "sid", "user_id", "token_type", "auth_time"]


@pytest.mark.parametrize("value", MALFORMED_VALUES, ids=repr)
@pytest.mark.parametrize("claim", CLAIMS)
def test_no_malformed_claim_causes_a_server_error(user, claim, value):
    claims = {**RefreshToken.for_user(user).payload, claim: value}
    session = OutstandingToken.objects.get().session_id
    if value is MISSING:
        del claims[claim]
    kinds = {"refresh": claims.get("token_type"), "verify": claims.get("token_type")}
    if claim != "token_type":
        kinds["me"] = "access"

    for endpoint, kind in kinds.items():
        presented = claims if kind is None else {**claims, "token_type": kind}
        answer = send(endpoint, jwt.encode(presented, KEY, algorithm="HS256"))

        if answer.status_code != 200:
            is_a_clear_refusal(answer, 401)
            continue
        # It may be accepted only if the claim is optional or the value is valid.
        assert claim in {"auth_time", "iat", "sid", "jti", "exp"}
        assert OutstandingToken.objects.filter(session_id=session).exists()


@pytest.mark.parametrize(
    "jti", ["{}.0", "{}.01", "{}.-1", "{}.1.1", "{}.99999999999", "{}.x", "{}."]
)
def test_a_jti_that_does_not_belong_to_its_session_is_refused(live_device, jti):
    claims = RefreshToken(live_device.refresh_token).payload
    token = jwt.encode({**claims, "jti": jti.format(claims["sid"])}, KEY, algorithm="HS256")

    for endpoint in TOKEN_FIELD:
        assert is_a_clear_refusal(send(endpoint, token), 401)


def test_a_token_with_claims_of_two_users_is_refused(live_device):
    other = Device(UserFactory())
    other.log_in()
    mine, theirs = (RefreshToken(d.refresh_token).payload for d in (live_device, other))

    for claims in (
        {**mine, "user_id": theirs["user_id"]},
        {**theirs, "user_id": mine["user_id"]},
        {**mine, "sid": theirs["sid"]},
        {**mine, "jti": theirs["jti"]},
    ):
        for kind, endpoint in [("refresh", "refresh"), ("refresh", "verify"), ("access", "me")]:
            if (
                kind == "access"
                and claims["sid"] == mine["sid"]
                and claims["user_id"] == mine["user_id"]
            ):
                continue  # an access token has a jti of its own
            token = jwt.encode({**claims, "token_type": kind}, KEY, algorithm="HS256")
            assert is_a_clear_refusal(send(endpoint, token), 401)
    assert other.refresh().status_code == 200


BODIES = {
    "empty": b"",
    "not JSON": b"refresh=x",
    "cut off": b'{"refresh": "',
    "nested deep": b"[" * 30_000 + b"]" * 30_000,
    "objects nested deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "not UTF-8": b'{"refresh": "\xff\xfe"}',
    "UTF-16": '{"refresh": "x"}'.encode("utf-16"),
    "NaN": b'{"refresh": NaN}',
    "Infinity": b'{"refresh": -Infinity}',
    "a huge number": b'{"refresh": ' + b"9" * 10_000 + b"}",
    "NUL": b'{"refresh": "\\u0000", "token": "\\u0000", "email": "\\u0000", "password": "\\u0000"}',
    "twice the same key": b'{"refresh": 1, "refresh": 2, "name": "Ada", "name": "Ada"}',
}


CHANGE_NOTHING = {"empty", "twice the same key"}


@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_body_is_refused(db, body):
    for path in ENDPOINTS.values():
        answer = APIClient().post(path, BODIES[body], content_type="application/json")

        # 401: a number is read as text, which is an invalid token; an empty body has no token.
        assert is_a_clear_refusal(answer, 400, *([401] if body in CHANGE_NOTHING else []))


@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_body_changes_no_name(live_device, body):
    named = BODIES[body].replace(b"refresh", b"name")

    answer = live_device.http.patch(
        "/api/me/", named, content_type="application/json", **live_device.bearer
    )

    assert answer.status_code == (200 if body in CHANGE_NOTHING else 400)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-16",
        "application/json; charset=nonsense",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "nonsense",
        "",
    ],
)
def test_an_unexpected_content_type_is_refused(db, content_type):
    for path in ENDPOINTS.values():
        url = f"{path}?x=1&format=xml"
        answer = APIClient().generic("POST", url, b'{"refresh": "x"}', content_type=content_type)

        assert is_a_clear_refusal(answer, 400, 401, 415)


def test_a_form_of_very_many_fields_is_refused(db):
    body = "&".join(f"f{n}=1" for n in range(5_000))

    answer = APIClient().generic(
        "POST", "/api/token/", body.encode(), content_type="application/x-www-form-urlencoded"
    )

    assert is_a_clear_refusal(answer, 400)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "image/*;q=x"])
def test_the_response_is_json_for_every_accept_header(db, accept):
    answer = APIClient().post("/api/token/", {}, format="json", HTTP_ACCEPT=accept)

    assert is_a_clear_refusal(answer, 400)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_unsupported_method_is_405(db, endpoint):
    for method in ("GET", "PUT"):
        answer = APIClient().generic(method, ENDPOINTS[endpoint])

        assert is_a_clear_refusal(answer, 405)
        assert "POST" in answer["Allow"]


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer a b", "Basic YTpi", "Bearer \x00", "bearer \xe9\xff", "\x00"),
    ],
)
def test_a_malformed_authorization_header_is_refused(db, header):
    answer = APIClient().get("/api/me/", HTTP_AUTHORIZATION=header)

    assert is_a_clear_refusal(answer, 401)


@pytest.mark.parametrize("transport", ["\ud800", "header", 1, None, [], "BODY"])
def test_an_unknown_transport_is_refused(user, transport):
    body = json.dumps({**Device(user).credentials, "transport": transport})
    answer = APIClient().post("/api/token/", body, content_type="application/json")

    assert is_a_clear_refusal(answer, 400)
    assert not OutstandingToken.objects.exists()


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD}\n", PASSWORD.upper()])
def test_a_password_is_compared_byte_for_byte(user, password):
    assert is_a_clear_refusal(Device(user).log_in(password=password), 401)


def test_a_very_long_address_or_password_is_refused(user):
    assert is_a_clear_refusal(Device(user).log_in(email="a" * 65_000 + "@example.com"), 400, 401)
    assert is_a_clear_refusal(Device(user).log_in(password="a" * 65_000), 400, 401)


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "\x00", '"\\000"', '"', "é"])
def test_a_malformed_refresh_cookie_is_refused(db, cookie):
    # As a header, because Python's cookie classes refuse some of these values.
    answer = APIClient().post(
        "/api/token/refresh/", {}, format="json", HTTP_COOKIE=f"refresh_token={cookie}"
    )

    assert is_a_clear_refusal(answer, 400, 401, 403)


@pytest.mark.parametrize("spelling", ["0{}", "+{}", " {}", "{} ", "0_{}", "{}.0", "arabic"])
def test_a_user_id_in_another_spelling_is_refused(live_device, user, spelling):
    arabic = str(user.pk).translate({ord("0") + n: 0x660 + n for n in range(10)})
    misnamed = arabic if spelling == "arabic" else spelling.format(user.pk)

    for endpoint in ("me", "refresh", "verify", "blacklist"):
        token = live_device.access if endpoint == "me" else live_device.refresh_token
        claims = {**jwt.decode(token, KEY, algorithms=["HS256"]), "user_id": misnamed}
        assert is_a_clear_refusal(send(endpoint, jwt.encode(claims, KEY, algorithm="HS256")), 401)


@pytest.mark.parametrize("spelling", ["{0.hex}", "{{{0}}}", "urn:uuid:{0}", "upper"])
def test_a_uuid_user_id_in_another_spelling_is_refused(monkeypatch, spelling):
    known = uuid.UUID("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d")
    fields = SimpleNamespace(get_field=lambda name: models.UUIDField())
    misnamed = str(known).upper() if spelling == "upper" else spelling.format(known)

    with monkeypatch.context() as patch:
        patch.setattr(users, "get_user_model", lambda: SimpleNamespace(_meta=fields))

        assert UntypedToken.with_claims({"user_id": str(known)}).user_id == known
        with pytest.raises(TokenError):
            UntypedToken.with_claims({"user_id": misnamed}).read_user_id()


def test_a_file_is_refused(db):
    file = SimpleUploadedFile("token.txt", b"x", content_type="text/plain")

    answer = APIClient().post("/api/token/refresh/", {"refresh": file}, format="multipart")

    assert is_a_clear_refusal(answer, 400)


def test_a_multipart_form_of_very_many_parts_is_refused(db):
    part = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"

    answer = APIClient().generic(
        "POST", "/api/token/", part * 1_001 + b"--x--", "multipart/form-data; boundary=x"
    )

    assert is_a_clear_refusal(answer, 400)
