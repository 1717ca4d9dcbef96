"""The command `endsessions`: by time, user, address, or all sessions."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests.support.devices import Device
from tests.support.factories import (
    BlacklistedTokenFactory,
    OutstandingTokenFactory,
    insert_sessions,
)
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions.end import revoke_in_batches, revoke_user

pytestmark = pytest.mark.django_db


def end(capsys, *arguments):
    call_command("endsessions", *arguments)
    return capsys.readouterr().out


def live():
    return set(OutstandingToken.objects.live())


def test_before_revokes_the_sessions_opened_before_a_time(capsys):
    hours = [
        OutstandingTokenFactory(created_at=timezone.now() - timedelta(hours=n)) for n in (1, 3, 5)
    ]
    OutstandingTokenFactory(created_at=None)
    moment = (timezone.now() - timedelta(hours=2)).isoformat()

    assert end(capsys, "--before", moment, "--dry-run") == "Would revoke 3 sessions.\n"
    assert len(live()) == 4
    assert end(capsys, "--before", moment, "--note", "restored") == "Revoked 3 sessions.\n"
    assert live() == {hours[0]}
    entry = BlacklistedToken.objects.first()
    assert (entry.reason, entry.note, entry.blacklisted_by) == ("admin", "restored", None)
    assert end(capsys, "--before", moment) == "Revoked 0 sessions.\n"


def test_a_time_without_a_zone_is_utc(capsys, settings):
    settings.TIME_ZONE = "America/Chicago"
    session = OutstandingTokenFactory(created_at=timezone.now() - timedelta(minutes=90))
    utc = datetime.now(UTC)

    end(capsys, "--before", f"{utc - timedelta(hours=2):%Y-%m-%dT%H:%M}")
    assert live() == {session}
    end(capsys, "--before", f"{utc - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    assert live() == set()


def test_user_revokes_the_sessions_of_a_user_by_name_or_id(capsys, user):
    other = OutstandingTokenFactory()
    OutstandingTokenFactory.create_batch(2, user=user)
    assert end(capsys, "--user", user.get_username()) == "Revoked 2 sessions.\n"

    OutstandingTokenFactory(user=user)
    assert end(capsys, "--user", str(user.pk)) == "Revoked 1 session.\n"
    assert live() == {other}


def test_call_command_takes_python_values(user):
    mine = OutstandingTokenFactory(user=user, ip_address="192.0.2.7")
    OutstandingTokenFactory(user=user, created_at=timezone.now() + timedelta(hours=2))
    other = OutstandingTokenFactory(created_at=timezone.now() + timedelta(hours=2))
    later = timezone.now() + timedelta(hours=1)

    call_command("endsessions", user=user, before=later, ip=ip_address("192.0.2.7"))
    assert live() == set(OutstandingToken.objects.exclude(pk=mine.pk))
    call_command("endsessions", user=user.pk)
    assert live() == {other}
    for wrong in ({"user": -1}, {"before": later.timestamp()}, {"ip": user}):
        with pytest.raises(CommandError):
            call_command("endsessions", **wrong)


def test_ip_revokes_the_sessions_of_an_address_and_conditions_are_combined(capsys, user):
    here = OutstandingTokenFactory(user=user, ip_address="192.0.2.1")
    OutstandingTokenFactory(ip_address="192.0.2.1")
    OutstandingTokenFactory(user=user, ip_address="2001:db8::1")

    end(capsys, "--user", user.get_username(), "--ip", "192.0.2.1")
    assert here not in live()
    assert len(live()) == 2
    end(capsys, "--ip", "2001:DB8:0::1")
    assert len(live()) == 1
    end(capsys, "--all")
    assert live() == set()


def test_tokens_of_revoked_sessions_are_refused_immediately(capsys, device):
    end(capsys, "--all")

    assert device.me().status_code == 401
    assert device.refresh().status_code == 401


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Give at least one of"),
        (("--all", "--ip", "192.0.2.1"), "Give at least one of"),
        (("--before", "yesterday"), "--before is not a valid time"),
        (("--before", ""), "--before is not a valid time"),
        (("--ip", "here"), "--ip is not a valid IP address"),
        (("--user", "nobody@example.com"), "--user does not match any user"),
        (("--user", "9" * 30), "--user does not match any user"),
        (("--user", "\x00"), "--user does not match any user"),
        (("--all", "--note", "x" * 256), "--note is longer"),
    ],
)
def test_invalid_arguments_are_refused_with_a_message_and_revoke_nothing(arguments, sentence):
    session = OutstandingTokenFactory()

    with pytest.raises(CommandError, match=sentence):
        call_command("endsessions", *arguments)
    assert live() == {session}


def test_more_sessions_than_a_batch_are_revoked_in_several_batches(monkeypatch):
    sessions = OutstandingTokenFactory.create_batch(7)
    BlacklistedTokenFactory(token=sessions[3])

    ended = list(revoke_in_batches(OutstandingToken.objects.all(), reason="admin", batch_size=2))

    assert ended == [2, 2, 2]
    assert live() == set()


@pytest.mark.slow
def test_one_statement_revokes_more_sessions_than_the_databases_parameter_limit(user):
    insert_sessions(33_000, user=user)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # as autovacuum does after so many inserts
            cursor.execute("ANALYZE")

    assert revoke_user(user, reason="logout_all") == 33_000
    assert Device(user).log_in().status_code == 200
    assert len(live()) == 1


@pytest.mark.postgresql
def test_the_command_analyzes_the_tables_first(capsys, django_assert_max_num_queries):
    """A restored database has no statistics: PostgreSQL would plan for empty tables."""
    with django_assert_max_num_queries(100) as queries:
        end(capsys, "--all")

    analyzed = [query["sql"] for query in queries if query["sql"].startswith("ANALYZE")]
    assert analyzed == [
        'ANALYZE "token_blacklist_outstandingtoken"',
        'ANALYZE "token_blacklist_blacklistedtoken"',
    ]
