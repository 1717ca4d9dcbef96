"""Introspection for other services (RFC 7662), and the token check for reverse proxies."""

import base64
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core.checks import run_checks
from rest_framework.test import APIClient

from tests.support.devices import user_id_claim
from tests.support.introspection import SECRET, basic, digest
from tests.support.statements import statements
from token_blacklist.models import OutstandingToken
from token_blacklist.tokens import AccessToken, RefreshToken, SlidingToken

URL = "/api/token/introspect/"
INACTIVE = {"active": False}

pytestmark = pytest.mark.django_db


@pytest.fixture
def introspect(options):
    options(INTROSPECTION_CLIENTS={"billing": [digest(SECRET)]})

    def ask(token, **extra):
        http = APIClient(HTTP_AUTHORIZATION=basic())
        answer = http.post(URL, {"token": token}, **{"format": "json", **extra})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


def test_a_valid_token_is_active_with_its_claims_in_one_select(introspect, device, user):
    for encoded, kind in ((device.access, AccessToken), (device.refresh_token, RefreshToken)):
        with statements("SELECT"):
            said = introspect(encoded)

        claims = kind.authentic(encoded).payload
        assert said == {
            **claims,
            "active": True,
            "sub": user_id_claim(user),
            "username": user.get_username(),
        }


def test_an_invalid_reused_or_revoked_token_is_inactive_without_further_claims(
    introspect, device, clock
):
    old = device.refresh_token
    device.refresh()
    access, refresh = device.access, device.refresh_token
    clock.shift(60)
    assert introspect(old) == INACTIVE
    for token in ("no token", refresh[:-3] + "aaa", str(AccessToken())):
        assert introspect(token) == INACTIVE

    RefreshToken(refresh).blacklist()

    assert introspect(access) == introspect(refresh) == INACTIVE


def test_an_expired_token_and_a_deactivated_users_token_are_inactive(
    introspect, device, user, clock
):
    access = device.access
    user.is_active = False
    user.save()
    assert introspect(access) == INACTIVE
    user.is_active = True
    user.save()
    clock.shift(timedelta(hours=1))
    assert introspect(access) == INACTIVE


def test_a_sliding_token_is_introspected(introspect, user, options):
    token = SlidingToken.for_user(user)
    assert introspect(str(token))["active"] is True

    token.blacklist()

    assert introspect(str(token)) == INACTIVE
    OutstandingToken.objects.all().delete()
    assert introspect(str(token)) == INACTIVE


def test_a_form_body_is_accepted_as_in_rfc_7662(introspect, device):
    form = {"content_type": "application/x-www-form-urlencoded", "format": None}
    http = APIClient(HTTP_AUTHORIZATION=basic())
    body = f"token={quote(device.access)}&token_type_hint=access_token"

    answer = http.post(URL, body, content_type=form["content_type"])

    assert answer.json()["active"] is True
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    [
        "",
        basic(name="unknown"),
        basic(secret=digest(SECRET)),
        "Basic !",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer x",
    ],
)
def test_a_client_without_the_right_secret_gets_401_and_no_information(introspect, device, header):
    http = APIClient(HTTP_AUTHORIZATION=header)

    answer = http.post(URL, {"token": device.access}, format="json")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="api"'
    assert set(answer.json()) == {"detail", "code"}


def test_without_introspection_clients_every_caller_gets_401(device):
    http = APIClient(HTTP_AUTHORIZATION=basic())
    assert http.post(URL, {"token": device.access}, format="json").status_code == 401


def test_the_old_and_the_new_secret_of_a_client_work_at_the_same_time(options, device):
    options(INTROSPECTION_CLIENTS={"billing": [digest(SECRET), digest("next" * 10)]})
    for secret in (SECRET, "next" * 10):
        http = APIClient(HTTP_AUTHORIZATION=basic(secret=secret))
        assert http.post(URL, {"token": device.access}, format="json").json()["active"] is True


def test_a_request_without_a_token_is_400(introspect):
    answer = APIClient(HTTP_AUTHORIZATION=basic()).post(URL, {}, format="json")

    assert answer.status_code == 400
    assert set(answer.json()) == {"token"}


@pytest.mark.parametrize(
    "clients",
    [
        ["billing"],
        {"billing": [SECRET]},
        {"a:b": [digest(SECRET)]},
    ],
)
def test_invalid_introspection_clients_are_a_check_error(options, clients):
    options(INTROSPECTION_CLIENTS=clients)

    assert "token_blacklist.E003" in {message.id for message in run_checks()}


def check(token):
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}").get("/api/token/check/")


def test_the_check_returns_the_user_and_the_session_in_headers_in_one_select(device, user):
    with statements("SELECT"):
        answer = check(device.access)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["X-Auth-User"] == quote(user_id_claim(user), safe="@+.:_-")
    assert answer["X-Auth-Session"] == AccessToken.authentic(device.access)["sid"]
    assert answer["Cache-Control"] == "no-store"


def test_the_check_answers_401_to_a_revoked_session_and_to_a_missing_token(device):
    access = device.access
    RefreshToken(device.refresh_token).blacklist()

    refused = check(access)
    anonymous = APIClient().get("/api/token/check/")

    assert [refused.status_code, anonymous.status_code] == [401, 401]
    assert not {"X-Auth-User", "X-Auth-Session"} & {*refused.headers, *anonymous.headers}
    assert refused["WWW-Authenticate"] == anonymous["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_session_id_with_special_characters_cannot_break_the_header(user):
    token = AccessToken.for_user(user)
    token["sid"] = "ü\u2003\u00a0x"

    answer = check(token)

    assert answer.status_code in {204, 401}
    assert "\u2003" not in str(answer.headers)
