"""What a script does: sign in, use the API, manage sessions, sign out."""

import base64
import hashlib
import hmac
import struct
import time
import typing
from http import HTTPStatus

import httpx
import pytest
from token_blacklist_client import ApiError, Client, Code, Me, SessionItem, SignedOut

from .conftest import LIMITED, PASSWORD, SITE

DEMO = {"email": "demo@example.com", "password": "demo-password"}


def totp(secret):
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06}"


@pytest.fixture
def secret():
    """Give the demo user an authenticator app for the length of a test; return its secret."""
    with httpx.Client(base_url=f"{SITE}/_allauth/app/v1") as http:
        signed_in = http.post("/auth/login", json=DEMO).json()
        http.headers["X-Session-Token"] = signed_in["meta"]["session_token"]
        http.post("/auth/reauthenticate", json={"password": DEMO["password"]}).raise_for_status()
        found = http.get("/account/authenticators/totp").json()["meta"]["secret"]
        answer = http.post("/account/authenticators/totp", json={"code": totp(found)})
        assert answer.status_code == HTTPStatus.OK, answer.text
        yield found
        http.delete("/account/authenticators/totp").raise_for_status()


def test_signing_in_gives_access_to_the_user(api, email):
    assert api.me()["email"] == email


def test_a_wrong_password_is_an_error_with_a_code_and_a_sentence(email):
    with Client(SITE) as client, pytest.raises(ApiError) as caught:
        client.sign_in(email, "wrong")

    assert caught.value.status == HTTPStatus.UNAUTHORIZED
    assert caught.value.code == "no_active_account"
    assert caught.value.detail == str(caught.value) != ""


def test_the_second_factor_is_asked_for_and_taken(secret):
    with Client(SITE) as client:
        with pytest.raises(ApiError) as caught:
            client.sign_in(**DEMO)
        client.sign_in(**DEMO, code=totp(secret))

        assert caught.value.code == "mfa_required"
        assert client.me()["email"] == DEMO["email"]


def test_an_invalid_field_has_its_messages(api):
    with pytest.raises(ApiError) as caught:
        api.patch("/api/me/", json={"name": "x" * 151})

    assert caught.value.status == HTTPStatus.BAD_REQUEST
    assert caught.value.code is None
    assert list(caught.value.fields) == ["name"]
    assert caught.value.detail == caught.value.fields["name"][0]


def guess(client):
    """Try wrong passwords until the API answers differently."""
    for _attempt in range(50):  # each worker of the server counts its own
        try:
            client.sign_in("demo@example.com", "wrong")
        except ApiError as error:
            if error.code != "no_active_account":
                raise


def test_too_many_attempts_say_how_long_to_wait():
    with Client(LIMITED) as client, pytest.raises(ApiError) as caught:
        guess(client)

    assert caught.value.code == "throttled"
    assert 0 < caught.value.retry_after <= 300


def test_an_error_page_of_a_proxy_is_an_error_of_the_api():
    page = httpx.MockTransport(lambda request: httpx.Response(502, html="<h1>Sorry</h1>"))

    with Client(SITE, transport=page) as client, pytest.raises(ApiError) as caught:
        client.request("GET", "/api/me/", auth=None)

    assert (caught.value.code, caught.value.detail) == (None, "Bad Gateway")


def test_sessions_are_listed_and_ended_one_by_one(api, phone):
    (other,) = [item for item in api.sessions() if item["device"] == "Acme on Android"]

    api.end_session(other["id"])

    with pytest.raises(SignedOut):
        phone.me()
    assert [item["current"] for item in api.sessions()].count(True) == 1


def test_all_other_sessions_are_ended_and_counted(api, phone):
    others = len(api.sessions()) - 1

    assert api.end_other_sessions() == others >= 1
    assert len(api.sessions()) == 1


def test_a_changed_password_replaces_the_session(api, phone, email, saved):
    api.change_password(PASSWORD, "another long password")

    with pytest.raises(SignedOut):
        phone.me()
    assert saved[-1] == api.tokens.refresh_token
    assert api.me()["email"] == email


def test_signing_out_ends_the_session_and_deletes_the_tokens(api, saved):
    access, refresh = api.access_token(), api.tokens.refresh_token

    api.sign_out()

    headers = {"Authorization": f"Bearer {access}"}
    assert httpx.get(f"{SITE}/api/me/", headers=headers).status_code == HTTPStatus.UNAUTHORIZED
    assert saved == [refresh, None]
    with pytest.raises(SignedOut):
        api.me()


def test_signing_out_without_a_response_keeps_the_session(api, network, monkeypatch):
    def fail(request):
        raise httpx.ConnectError("down", request=request)

    with monkeypatch.context() as patched:
        patched.setattr(network, "real", httpx.MockTransport(fail))
        with pytest.raises(httpx.ConnectError):
            api.sign_out()

    assert api.me()


def test_signing_out_twice_is_no_error(api):
    api.sign_out()
    api.sign_out()


def test_signing_out_with_a_token_that_is_refused_deletes_it(saved):
    with Client(SITE, refresh_token="expired", save=saved.append) as client:
        client.sign_out()

    assert saved == [None]


def test_the_codes_are_those_of_the_description(description):
    assert set(typing.get_args(Code)) == set(description["CodeEnum"]["enum"])


@pytest.mark.parametrize(("ours", "theirs"), [(Me, "Me"), (SessionItem, "Session")])
def test_the_types_are_those_of_the_description(ours, theirs, description):
    types = {"integer": int, "boolean": bool, "string": str}
    expected = {}
    for name, field in description[theirs]["properties"].items():
        kind = types[field.get("type", "string")]
        expected[name] = kind | None if field.get("nullable") else kind

    assert typing.get_type_hints(ours) == expected
