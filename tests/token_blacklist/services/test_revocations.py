"""The revocation feed: the recently revoked sessions."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from tests.support.introspection import SECRET, basic, digest
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken
from token_blacklist.services.revocations import read, window
from token_blacklist.sessions import flush
from token_blacklist.tokens import RefreshToken

URL = "/api/token/revocations/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(options):
    options(INTROSPECTION_CLIENTS={"billing": [digest(SECRET)]})
    http = APIClient(HTTP_AUTHORIZATION=basic())

    def ask(**query):
        answer = http.get(URL, query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


def end(user):
    token = RefreshToken.for_user(user)
    token.blacklist()
    return token["sid"]


def test_the_cursor_returns_the_sessions_revoked_since_the_last_read(feed, user):
    RefreshToken.for_user(user)
    first = end(user)
    begun = feed()
    assert begun["revoked"] == [first]
    assert begun["window"] == 300 + 30

    second = end(user)
    reported = feed(after=begun["cursor"])
    assert second in reported["revoked"]


def test_a_read_without_a_cursor_returns_the_window_and_nothing_older(feed, user, clock):
    old = end(user)
    clock.shift(window() + timedelta(seconds=1))
    recent = end(user)

    assert feed()["revoked"] == [recent]
    assert old not in feed(after="")["revoked"]


@pytest.mark.parametrize("cursor", ["0.0", "1.99999999999999", "7.0"])
def test_a_cursor_of_another_server_or_a_restored_database_returns_the_whole_window(
    feed, user, cursor
):
    ended = end(user)

    assert feed(after=cursor)["revoked"] == [ended]


@pytest.mark.parametrize(
    "query",
    [
        *({"after": after} for after in ("x", "1", "1.-1")),
        *({"leeway": leeway} for leeway in ("-1", "3601", "nan", "9" * 5000)),
    ],
)
def test_an_invalid_cursor_or_leeway_is_400(options, query):
    options(INTROSPECTION_CLIENTS={"billing": [digest(SECRET)]})
    answer = APIClient(HTTP_AUTHORIZATION=basic()).get(URL, query)

    assert answer.status_code == 400
    assert set(answer.json()) == set(query)
    assert all(sentence.endswith(".") for (sentence,) in answer.json().values())


def test_the_feed_needs_the_credentials_of_a_service(device):
    for header in ("", f"Bearer {device.access}", basic()):
        assert APIClient(HTTP_AUTHORIZATION=header).get(URL).status_code == 401


def test_a_read_is_one_statement_on_postgresql_and_two_on_sqlite(user):
    end(user)
    with statements(*(["WITH"] if connection.vendor == "postgresql" else ["SELECT", "SELECT"])):
        read()


@pytest.mark.django_db(transaction=True)
def test_a_sign_out_that_is_rolled_back_is_not_in_the_feed(user):
    cursor = read().cursor
    with transaction.atomic():
        sid = end(user)
        transaction.set_rollback(True)

    assert read(cursor).sessions == []
    assert sid not in read().sessions
    assert not BlacklistedToken.objects.exists()


def test_the_window_is_longer_by_the_leeway_of_the_reader(feed, user, clock):
    ended = end(user)
    assert feed(leeway=600)["window"] == 300 + 600 + 30
    cursor = feed(leeway=600)["cursor"]

    clock.shift(300 + 600 + 29.5)
    assert feed(leeway=600)["revoked"] == [ended]
    assert feed(leeway=599)["revoked"] == feed()["revoked"] == []
    assert ended in feed(after="0.0", leeway=600)["revoked"]
    assert feed(after=cursor, leeway=600)["window"] == 930


def test_a_revoked_session_stays_in_the_feed_after_expiry_while_services_accept_its_tokens(
    feed, user, options, clock
):
    """After a flush, too, because a restarted service reads the whole window."""
    options(REFRESH_TOKEN_LIFETIME=timedelta(minutes=5))
    ended = end(user)

    clock.shift(timedelta(minutes=64))
    flush.delete_expired()
    assert feed(leeway=3600)["revoked"] == [ended]
    clock.shift(timedelta(minutes=2))
    flush.delete_expired()
    assert not BlacklistedToken.objects.exists()
