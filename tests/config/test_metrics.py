"""The metrics of several processes, as Prometheus reads them."""

import os
from urllib.request import Request, urlopen

import pytest
from django.utils import timezone

from config.monitoring.metrics import DatabaseCollector
from tests.support import metrics
from tests.support.factories import OutstandingTokenFactory
from tests.support.production import wait_for
from tests.support.server import gunicorn
from token_blacklist.models import BlacklistedToken, FlushRun

SESSIONS = """
from tests.support.devices import Device
from tests.support.factories import OutstandingTokenFactory, UserFactory
from token_blacklist.sessions import flush

device = Device(UserFactory(email=f"{sys.argv[1]}@example.com"))
device.log_in()
first = device.refresh_token
device.refresh()
device.refresh_token = first
device.refresh()
device.log_out()
device.refresh()
OutstandingTokenFactory.create_batch(2, user=None, expired=True)
if sys.argv[1] == "a":
    flush.delete_expired()
print(read())
"""
REQUESTS = """
client.get("/password/reset/key/1-a-secret-link/")
client.get("/password/reset/key/1-another-secret-link/")
client.get("/nothing/here/")
client.generic("INVENTED", "/login/")
for _ in range(6):
    client.post("/password/reset/", {"email": "ada@example.com"})
from accounts.outbox import send_waiting
send_waiting()  # no server accepts the first, and the rest waits
from django.db import OperationalError, connection
def fail(*call):
    raise OperationalError
with connection.execute_wrapper(fail):
    client.post("/api/token/", {"email": "a@example.com", "password": "x"}, "application/json")
client.get("/health/live/")
print(read())
"""


@pytest.fixture
def site(database, tmp_path):
    """An environment in which processes share a database and metrics."""
    return metrics.environment(tmp_path, database)


def figures(site, code, *arguments):
    """Run code in a process; return the metrics it prints, as `by_labels` does."""
    return by_labels(metrics.samples(site, code, *arguments))


def by_labels(samples):
    """Return {(name, *values of the labels): value}, the values in the order of the names."""
    return {
        (sample.name, *dict(sorted(sample.labels.items())).values()): sample.value
        for sample in samples
    }


@pytest.mark.process
def test_the_counters_of_several_processes_are_summed(site):
    figures(site, SESSIONS, "a")
    found = figures(site, SESSIONS, "b")

    assert found["token_issued_total",] == 2
    assert found["token_refreshed_total",] == 2
    assert found["token_repeated_total",] == 2
    assert found["token_blacklisted_total", "logout"] == 2
    assert found["token_refused_total", "token_not_valid"] == 2
    assert found["tokens_flushed_total", "outstanding"] == 2
    assert found["tokens_flush_runs_total", "done"] == 1
    assert found["tokens_flush_backlog",] == 2
    assert found["tokens_flush_overdue",] == 0
    assert found["tokens_last_flush_timestamp_seconds",] > 1.7e9
    assert found["database_up",] == 1


@pytest.mark.process
def test_requests_are_counted_by_route_method_and_status(site):
    found = figures(site, REQUESTS)

    link = "/password/reset/key/<uidb36>-<key>/"
    assert found["http_requests_total", "GET", link, "200"] == 2
    assert found["http_requests_total", "GET", "-", "404"] == 1
    assert found["http_requests_total", "other", "/login/", "405"] == 1
    assert found["http_requests_total", "POST", "/password/reset/", "302"] == 5
    assert found["http_requests_total", "POST", "/password/reset/", "429"] == 1
    assert found["http_requests_total", "POST", "/api/token/", "503"] == 1
    assert found["http_failures_total", "429"] == 1
    assert found["http_failures_total", "503"] == 1
    assert found["emails_failed_total",] == 1
    assert found["emails", "waiting"] == 5
    assert found["emails", "failed"] == 0
    assert found["http_request_duration_seconds_count", link] == 2
    assert found["http_requests_in_flight",] == 0
    text = str(found)
    assert "secret-link" not in text
    assert "/nothing/here/" not in text
    assert "INVENTED" not in text
    assert "/health/" not in text


@pytest.mark.process
def test_every_counter_is_exported_from_the_start_also_without_the_database(site):
    """Prometheus sees an increase only in series that already exist."""
    site["DATABASE_URL"] = "postgres://nobody:nothing@127.0.0.1:9/nowhere"

    found = figures(site, "print(read())")

    zeros = {key for key, value in found.items() if value == 0}
    expected = {("database_up",), ("token_issued_total",), ("emails_failed_total",)}
    expected |= {("token_blacklisted_total", each) for each in BlacklistedToken.Reason.values}
    expected |= {("token_refused_total", code) for code in ("no_active_account", "token_not_valid")}
    expected |= {("http_failures_total", status) for status in ("429", "500", "503")}
    assert zeros >= expected
    assert ("tokens_flush_backlog",) not in found


def gauges(folder):
    """Return the ids of the processes that have requests in flight, or had when they ended."""
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*.db")}


@pytest.mark.process
def test_the_metrics_of_a_server_are_those_of_its_processes_since_its_start(site, tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"of an earlier server")
    with gunicorn({**os.environ, **site}, workers=2, as_deployed=True) as server:
        wait_for(lambda: gauges(folder) == {worker.pid for worker in server.workers()})
        kept = {int(path.stem.rpartition("_")[2]) for path in folder.glob("*.db")}
        for _request in range(4):
            urlopen(f"{server.url}/login/", timeout=20).close()
        request = Request(
            f"{server.url}/metrics", headers={"Authorization": f"Bearer {metrics.TOKEN}"}
        )
        with urlopen(request, timeout=20) as answer:
            found = by_labels(metrics.parsed(answer.read().decode()))
        killed, *_others = server.workers()
        killed.kill()
        wait_for(lambda: killed.pid not in gauges(folder))

    assert killed.pid in kept
    assert len(kept) == 2  # not the process that checks the settings
    assert found["http_requests_total", "GET", "/login/", "200"] == 4


def test_reading_the_metrics_sends_six_statements(db, django_assert_num_queries):
    FlushRun.objects.create(started_at=timezone.now(), outcome=FlushRun.Outcome.FAILED)
    OutstandingTokenFactory(expired=True)

    with django_assert_num_queries(6):
        read = {family.name: family.samples for family in DatabaseCollector().collect()}

    assert read["database_up"][0].value == 1
    assert {it.labels["outcome"]: it.value for it in read["tokens_flush_runs"]}["failed"] == 1
    assert read["tokens_flush_backlog"][0].value == 1


def test_metrics_are_off_by_default(client):
    answer = client.get("/metrics")

    assert answer.status_code == 404
    assert "METRICS_TOKEN turns them on" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["", "Bearer wrong", metrics.TOKEN, "Bearer ümlaut"])
def test_metrics_without_the_right_token_are_401(client, settings, header):
    settings.METRICS_TOKEN = metrics.TOKEN

    answer = client.get("/metrics", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
