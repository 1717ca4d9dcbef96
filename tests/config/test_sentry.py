"""Sentry: it starts with SENTRY_DSN and receives no personal data or token."""

import sys

import pytest

from config.monitoring.sentry import without_request
from tests.support.start import manage, problems

DSN = "https://key@sentry.example.com/1"
STUB = """
import sys

def init(**options):
    print(sorted((k, v) for k, v in options.items() if not callable(v)), file=sys.stderr)
"""


def test_a_dsn_without_the_package_is_refused(production_env, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    assert problems(**production_env, SENTRY_DSN=DSN) == ["SENTRY_DSN"]


@pytest.mark.process
def test_a_dsn_starts_sentry_without_personal_data(production_env, tmp_path):
    (tmp_path / "sentry_sdk.py").write_text(STUB, encoding="utf-8")

    asked = manage("check", **production_env, SENTRY_DSN=DSN, PYTHONPATH=str(tmp_path))
    unasked = manage("check", **production_env, PYTHONPATH=str(tmp_path))

    assert f"('dsn', '{DSN}')" in asked.stderr
    assert "('send_default_pii', False)" in asked.stderr
    assert "('max_request_body_size', 'never')" in asked.stderr
    assert "('include_local_variables', False)" in asked.stderr
    assert (unasked.returncode, "dsn" in unasked.stderr) == (0, False)


def test_an_event_has_no_address_body_header_or_token():
    event = {
        "request": {
            "method": "POST",
            "url": "https://app.example.com/password/reset/MQ/a-live-link/",
            "query_string": "password=hunter2",
            "data": {"password": "hunter2"},
            "headers": {"Referer": "https://app.example.com/?password=hunter2"},
        },
        "exception": {"values": [{"type": "ValueError", "value": "eyJhbGciOi.eyJzdWIi.c2ln"}]},
        "logentry": {"message": "failed at /a/?x=hunter2"},
    }

    sent = without_request(event, {})

    assert sent["request"] == {"method": "POST"}
    assert sent["exception"]["values"][0] == {"type": "ValueError", "value": "[token]"}
    assert not any(secret in str(sent) for secret in ("hunter2", "a-live-link", "eyJ"))
