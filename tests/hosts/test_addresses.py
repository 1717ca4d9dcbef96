"""Servers that listen for IPv4 and IPv6 at once see IPv4 addresses as `::ffff:192.0.2.1`."""

import pytest
from django.core.management import call_command

from tests.support.devices import Device
from token_blacklist.admin.search import sessions_for
from token_blacklist.clients import client_of
from token_blacklist.models import OutstandingToken


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:8080", "192.0.2.1"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("", None),
    ],
)
@pytest.mark.parametrize("header", ["REMOTE_ADDR", "HTTP_X_FORWARDED_FOR"])
def test_an_address_has_one_form(rf, monkeypatch, address, stored, header):
    monkeypatch.setattr("token_blacklist.clients.api_settings.NUM_PROXIES", 1)
    request = rf.get("/", **{"REMOTE_ADDR": "", header: address})

    assert client_of(request).ip_address == stored


@pytest.mark.parametrize("term", ["192.0.2.1", "::ffff:192.0.2.1"])
def test_a_session_is_found_and_ended_by_either_form(user, capsys, term):
    Device(user, REMOTE_ADDR="::ffff:192.0.2.1").log_in()

    assert OutstandingToken.objects.filter(sessions_for(term)).count() == 1
    call_command("endsessions", ip=term)

    assert "Revoked 1 session." in capsys.readouterr().out
