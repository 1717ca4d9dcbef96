"""How many SQL statements each operation sends: the table of docs/architecture.md."""

import itertools
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.support.devices import Device, user_id_claim
from tests.support.factories import (
    BlacklistedTokenFactory,
    OutstandingTokenFactory,
    insert_sessions,
)
from tests.support.statements import statements
from token_blacklist.models import OutstandingToken
from token_blacklist.sessions import flush


@pytest.fixture(autouse=True)
def _without_further_claims(options):
    options(USER_CLAIMS=None)


def test_a_sign_in_is_a_select_and_an_insert(user, device):
    with statements("SELECT", "INSERT"):
        assert device.log_in().status_code == 200


def test_a_sign_in_with_update_last_login_is_one_update_more(user, device, options):
    options(UPDATE_LAST_LOGIN=True)

    with statements("SELECT", "INSERT", "UPDATE"):
        device.log_in()

    user.refresh_from_db()
    assert user.last_login is not None


def test_a_refresh_is_one_update(device):
    with statements("UPDATE"):
        assert device.refresh().status_code == 200


def test_a_refresh_updates_by_plain_columns_and_subqueries_only(device):
    with CaptureQueriesContext(connection) as captured:
        device.refresh()

    (update,) = [q["sql"] for q in captured if q["sql"].startswith("UPDATE")]
    assert " JOIN " not in update
    assert "IN (SELECT" not in update
    assert update.count("EXISTS") == 1  # the active user
    assert update.count(") IS NULL") == 1  # no blacklist record


@pytest.mark.postgresql
@pytest.mark.parametrize("request_", [Device.refresh, Device.me])
def test_a_plan_made_while_the_blacklist_is_empty_uses_an_index_later(device, request_):
    sent = []

    def keep(execute, sql, *rest):
        sent.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(keep):
        assert request_(device).status_code == 200
    insert_sessions(2000, user=device.user)
    numbers = itertools.count(1)
    sql = re.sub("%s", lambda _: f"${next(numbers)}", sent[0])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE token_blacklist_outstandingtoken")
        # This deletes its statistics, too.
        cursor.execute("TRUNCATE token_blacklist_blacklistedtoken")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "token_blacklist_blacklistedtoken_token_id_key" in plan
    assert "Seq Scan on token_blacklist_blacklistedtoken" not in plan


def test_a_repeat_is_two_statements(device):
    old = device.refresh_token
    device.refresh(old)

    with statements("UPDATE", "SELECT"):
        assert device.refresh(old).status_code == 200


def test_a_refused_refresh_is_two_statements_and_reuse_adds_one_insert(device):
    oldest = device.refresh_token
    device.refresh()
    device.refresh()

    with statements("UPDATE", "SELECT", "INSERT"):
        assert device.refresh(oldest).status_code == 401
    with statements("UPDATE", "SELECT"):
        assert device.refresh().status_code == 401


def test_a_refresh_without_rotation_is_one_select(device, options):
    options(ROTATE_REFRESH_TOKENS=False)

    with statements("SELECT"):
        assert device.refresh().status_code == 200


@pytest.mark.parametrize("token", ["not.a.token", "expired", "wrong type"])
def test_a_token_with_an_invalid_signature_costs_no_statement(device, clock, token):
    token = {"wrong type": device.access, "expired": device.refresh_token}.get(token, token)
    clock.shift(48 * 3600 if token == device.refresh_token else 0)

    with statements():
        assert device.refresh(token).status_code == 401


def test_an_authenticated_request_is_one_select(device):
    with statements("SELECT"):
        assert device.me().status_code == 200


def test_a_stateless_request_sends_no_statement(device, settings):
    from rest_framework.test import APIRequestFactory

    from token_blacklist.authentication import JWTStatelessUserAuthentication

    request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {device.access}")
    with statements():
        user, token = JWTStatelessUserAuthentication().authenticate(request)

    assert user.id == user_id_claim(device.user)
    assert user.is_authenticated
    assert token["sid"] == OutstandingToken.objects.get().session_id


@pytest.mark.parametrize("kind", ["access", "refresh_token"])
def test_verify_is_one_select(device, kind):
    with statements("SELECT"):
        assert device.verify(getattr(device, kind)).status_code == 200


def test_a_sign_out_is_one_insert(device):
    with statements("INSERT"):
        assert device.log_out().status_code == 200
    with statements("INSERT", "SELECT"):
        assert device.log_out().status_code == 200


@pytest.mark.sliding
def test_sliding_tokens_have_the_same_budgets(user, options):
    options(AUTH_TOKEN_CLASSES=("token_blacklist.tokens.SlidingToken",))
    http = APIClient()
    with statements("SELECT", "INSERT"):
        answer = http.post("/api/token/sliding/", Device(user).credentials, format="json")
    token = answer.json()["token"]
    with statements("SELECT"):
        assert http.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 200
    with statements("UPDATE"):
        answer = http.post("/api/token/sliding/refresh/", {"token": token}, format="json")
    assert answer.status_code == 200


def test_a_flush_is_three_statements_per_batch(db):
    for _ in range(3):
        BlacklistedTokenFactory.create_batch(2, token__expired=True)
    OutstandingTokenFactory()
    batch = ("SELECT", "DELETE", "DELETE")

    postgresql = connection.vendor == "postgresql"
    the_clock, the_size = [("SELECT",) if postgresql else ()] * 2

    with statements(*the_clock, "UPDATE", "INSERT", *the_size, *batch, *batch, "SELECT", "UPDATE"):
        flush.delete_expired(batch_size=3)

    assert OutstandingToken.objects.count() == 1


@pytest.mark.admin
@pytest.mark.parametrize(
    "page", ["token_blacklist/outstandingtoken", "token_blacklist/blacklistedtoken"]
)
def test_an_admin_list_sends_the_same_statements_at_any_length(admin_client, page):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(f"/admin/{page}/").status_code == 200
        return len(captured)

    BlacklistedTokenFactory()
    short = cost()
    BlacklistedTokenFactory.create_batch(20)

    assert cost() == short
