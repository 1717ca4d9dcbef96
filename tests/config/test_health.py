"""The health checks: liveness and readiness."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from config.monitoring import health
from tests.support.factories import OutstandingTokenFactory
from tests.support.parts import only_with
from token_blacklist.models import FlushRun
from token_blacklist.sessions import flush

LIVE, READY = "/health/live/", "/health/ready/"


@pytest.fixture(autouse=True)
def new_process():
    """Clear what the health check remembers, as in a new process."""
    for require in (health._require_migrations, health._require_translations):
        require.cache_clear()
    yield
    for require in (health._require_migrations, health._require_translations):
        require.cache_clear()


def ready(client):
    answer = client.get(READY)
    return answer.status_code, answer.json()["status"], answer.json()["checks"]


def test_the_liveness_check_uses_neither_database_nor_cache(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get(LIVE)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_readiness_check_is_ok_if_everything_works(client, db):
    status, said, checks = ready(client)

    assert (status, said) == (200, "ok")
    assert checks == dict.fromkeys(
        ["database", "migrations", "static", "cache", "flush", "translations"], "ok"
    )


def test_a_health_check_by_ip_address_over_plain_http_succeeds(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["app.example.com"]
    probe = Client(headers={"host": "10.0.0.7:8000"})

    assert probe.get(LIVE).status_code == 200
    assert probe.get("/login/").status_code == 400
    assert Client(headers={"host": "app.example.com"}).get("/login/").status_code == 301


@pytest.mark.parametrize("path", [LIVE, READY, *only_with("metrics", "/metrics")])
def test_health_checks_and_metrics_accept_no_post(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("was_ready", [True, False])
def test_an_unreachable_database_makes_the_process_not_ready(client, db, was_ready):
    def fail(*call):
        raise OperationalError("secret-host refused")

    if was_ready:
        ready(client)

    with connection.execute_wrapper(fail):
        status, said, checks = ready(client)

    assert (status, said) == (503, "unavailable")
    assert checks == {
        "database": "The database does not answer.",
        "static": "ok",
        "cache": "ok",
        "translations": "ok",
    }


def test_a_missing_migration_makes_the_process_not_ready(client, db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")

    status, said, checks = ready(client)

    assert (status, said) == (503, "unavailable")
    assert checks["migrations"].endswith("not applied: run migrate.")


def test_migrations_are_checked_until_they_are_applied_and_not_again(
    client, db, django_assert_max_num_queries
):
    recorder = MigrationRecorder(connection)
    latest = max(name for app, name in recorder.applied_migrations() if app == "accounts")
    recorder.record_unapplied("accounts", latest)
    assert ready(client)[0] == 503
    assert ready(client)[0] == 503
    recorder.record_applied("accounts", latest)
    assert ready(client)[0] == 200

    with django_assert_max_num_queries(2):  # the check of the flush
        assert ready(client)[0] == 200


def test_uncollected_static_files_make_the_process_not_ready(client, db, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "config.static.HashedFiles"}
    }

    status, said, checks = ready(client)

    assert (status, said) == (503, "unavailable")
    assert checks["static"].endswith("Run: manage.py collectstatic --no-input")


def test_a_failing_cache_is_reported_as_degraded_with_200(client, db, monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("secret-host refused")

    monkeypatch.setattr(type(cache._connections["default"]), "set", fail, raising=False)

    status, said, checks = ready(client)

    assert (status, said) == (200, "degraded")
    assert checks["cache"] == "The cache fails (it does not answer): nobody can sign in."


@pytest.mark.translations
def test_uncompiled_translations_are_reported_as_degraded_with_200(client, db, settings, tmp_path):
    source = tmp_path / "locale" / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text("")
    settings.LOCALE_PATHS = [tmp_path / "locale"]

    status, said, checks = ready(client)

    assert (status, said) == (200, "degraded")
    assert "Run: manage.py compilemessages" in checks["translations"]
    source.with_suffix(".mo").write_text("")
    assert ready(client)[:2] == (200, "ok")


def test_an_overdue_flush_is_reported_as_degraded_with_200(client, db):
    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(hours=30))

    status, said, checks = ready(client)

    assert (status, said) == (200, "degraded")
    assert checks["flush"].startswith("The flush is overdue, there was none yet")
    flush.delete_expired()
    assert ready(client)[:2] == (200, "ok")


def test_a_failed_flush_is_reported_until_one_succeeds(client, db):
    now = timezone.now()
    FlushRun.objects.create(started_at=now - timedelta(days=1), outcome=FlushRun.Outcome.DONE)
    FlushRun.objects.create(started_at=now - timedelta(hours=1), outcome=FlushRun.Outcome.FAILED)

    status, said, checks = ready(client)

    assert (status, said) == (200, "degraded")
    assert "failed: look at its log." in checks["flush"]
    flush.delete_expired()
    assert ready(client)[:2] == (200, "ok")
