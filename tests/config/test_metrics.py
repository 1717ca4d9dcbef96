"""The figures for Prometheus, of several processes, as it reads them."""

import re
import subprocess
import sys

import pytest
from django.core.management import call_command
from prometheus_client.parser import text_string_to_metric_families

from tests.support.checkout import ROOT, bare_environment

SECRET = "a-token-for-prometheus"
SCENARIO = """
import django, sys
django.setup()
from django.test import Client
from tests.support.devices import Device
from tests.support.factories import OutstandingTokenFactory, UserFactory
from token_blacklist import retention

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
    retention.flush()
print(Client().get("/metrics", headers={"Authorization": "Bearer a-token-for-prometheus"}).text)
"""


@pytest.fixture
def site(database, tmp_path):
    """An environment in which processes share a database and their figures."""
    return bare_environment(
        DJANGO_SETTINGS_MODULE="config.settings",
        ENV_FILE="",
        DEBUG="True",
        JWT_SIGNING_KEY="signs-the-tokens-of-the-tests-" * 3,
        ALLOWED_HOSTS="testserver",
        DATABASE_URL=database,
        CACHE_DIR=str(tmp_path / "cache"),
        METRICS_DIR=str(tmp_path / "metrics"),
        METRICS_TOKEN=SECRET,
        LOG_STREAM="stderr",
        PYTHONPATH=str(ROOT),
    )


def figures(site, name):
    done = subprocess.run(
        [sys.executable, "-c", SCENARIO, name],
        cwd=ROOT,
        env=site,
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(done.stdout)
        for sample in family.samples
    }


@pytest.mark.process
def test_what_the_processes_did_is_added_up(site):
    figures(site, "a")
    found = figures(site, "b")

    assert found["token_issued_total",] == 2
    assert found["token_refreshed_total",] == 2
    assert found["token_repeated_total",] == 2
    assert found["token_blacklisted_total", "logout"] == 2
    assert found["token_refused_total", "token_not_valid"] == 2
    assert found["tokens_flushed_total", "outstanding"] == 2
    assert found["tokens_flush_backlog",] == 2
    assert found["tokens_last_flush_timestamp_seconds",] > 1.7e9


@pytest.mark.process
def test_processes_that_come_and_go_leave_no_more_files(site, tmp_path):
    for name in "ab":
        figures(site, name)

    assert len(list((tmp_path / "metrics").glob("counter_*.db"))) == 1


def test_metrics_are_off_unless_they_are_asked_for(client):
    answer = client.get("/metrics")

    assert answer.status_code == 404
    assert "METRICS_TOKEN turns them on" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", SECRET, "Bearer ümlaut"])
def test_who_does_not_know_the_token_reads_nothing(client, settings, header):
    settings.METRICS_TOKEN = SECRET

    answer = client.get("/metrics", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.process
def test_commands_run_while_metrics_are_on(site):
    call_command("check")
    done = subprocess.run(
        [sys.executable, "manage.py", "flushexpiredtokens"],
        cwd=ROOT,
        env=site,
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert re.match("Deleted 0 ", done.stdout)
