"""The probes: what a platform asks, and what it is told."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from tests.support.factories import OutstandingTokenFactory
from token_blacklist import retention

LIVE, READY = "/health/live/", "/health/ready/"


def ready(client):
    answer = client.get(READY)
    return answer.status_code, answer.json()["status"], answer.json()["checks"]


def test_a_process_that_answers_is_live_and_asks_nobody(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get(LIVE)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_process_with_all_it_needs_is_ready(client, db):
    status, said, checks = ready(client)

    assert (status, said) == (200, "ok")
    assert checks == {"database": "ok", "migrations": "ok", "cache": "ok", "flush": "ok"}


def test_a_probe_by_address_over_plain_http_is_answered(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["app.example.com"]
    probe = Client(headers={"host": "10.0.0.7:8000"})

    assert probe.get(LIVE).status_code == 200
    assert probe.get("/login/").status_code == 400
    assert Client(headers={"host": "app.example.com"}).get("/login/").status_code == 301


@pytest.mark.parametrize("path", [LIVE, READY, "/metrics"])
def test_a_probe_only_asks(client, path):
    assert client.post(path).status_code == 405


def test_a_database_that_is_away_makes_it_not_ready(client, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("secret-host refused")

    monkeypatch.setattr(MigrationExecutor, "__init__", fail)

    status, said, checks = ready(client)

    assert (status, said) == (503, "unavailable")
    assert checks == {"database": "The database does not answer.", "cache": "ok"}


def test_a_migration_that_is_missing_makes_it_not_ready(client, db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")

    status, said, checks = ready(client)

    assert (status, said) == (503, "unavailable")
    assert checks["migrations"].endswith("not applied: run migrate.")


def test_a_cache_that_fails_is_said_and_keeps_nobody_out(client, db, monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("secret-host refused")

    monkeypatch.setattr(type(cache._connections["default"]), "set", fail, raising=False)

    status, said, checks = ready(client)

    assert (status, said) == (200, "degraded")
    assert checks["cache"] == "The cache fails (it does not answer): each process throttles alone."


def test_a_flush_that_is_overdue_is_said_and_keeps_nobody_out(client, db):
    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(hours=30))

    status, said, checks = ready(client)

    assert (status, said) == (200, "degraded")
    assert checks["flush"].startswith("The flush is overdue, there was none yet")
    retention.flush()
    assert ready(client)[:2] == (200, "ok")
