"""The console: who gets in, and the figures on its first page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from tests.devices import Device
from tests.factories import BlacklistedTokenFactory, OutstandingTokenFactory, UserFactory
from token_blacklist import retention


@pytest.fixture
def staff(client, db):
    """Sign in somebody on the staff with these permissions."""

    def make(*codenames):
        person = UserFactory(is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(person)
        return client

    return make


def test_the_dashboard_warns_where_the_scheduler_is_silent(staff):
    support = staff("view_outstandingtoken")
    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(hours=20))
    assert "The flush is overdue" not in support.get("/admin/").text

    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(hours=30))
    assert "The flush is overdue" in support.get("/admin/").text

    retention.flush()
    assert "The flush is overdue" not in support.get("/admin/").text


def test_the_figures_are_for_those_who_may_see_the_sessions(staff):
    assert "Live sessions" not in staff("view_flushrun").get("/admin/").text
    assert "Live sessions" in staff("view_outstandingtoken").get("/admin/").text


def test_the_admins_own_sign_in_is_throttled_with_the_apis(client, user, settings):
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"login": "100/min", "login_account": "3/min"},
    }
    form = {"username": user.email.upper(), "password": "guess"}
    said = [client.post("/admin/login/", form).status_code for _ in range(5)]
    held = client.post("/admin/login/", form)

    assert said == [200, 200, 200, 429, 429]
    assert 0 < int(held.headers["Retry-After"]) <= 60
    assert "Too many attempts. Try again in" in held.text
    assert Device(user).log_in().status_code == 429


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_signed_in_and_not_on_the_staff_is_refused_everywhere(client, user, method):
    entry = BlacklistedTokenFactory()
    client.force_login(user)
    lists = "/admin/token_blacklist"
    addresses = [
        "/admin/",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{user.pk}/change/",
        f"{lists}/outstandingtoken/",
        f"{lists}/outstandingtoken/end/",
        f"{lists}/outstandingtoken/{entry.token_id}/change/",
        f"{lists}/outstandingtoken/{entry.token_id}/end/",
        f"{lists}/blacklistedtoken/add/",
        f"{lists}/blacklistedtoken/{entry.pk}/change/",
        f"{lists}/flushrun/add/",
        "/admin/autocomplete/",
    ]

    for address in addresses:
        assert getattr(client, method)(address).status_code == 403, address
