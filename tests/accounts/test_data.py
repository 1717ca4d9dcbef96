"""The download of a user's data."""

import json
from datetime import timedelta
from http import HTTPStatus

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone

from accounts.data import PARTS
from accounts.models import Activity
from tests.support.devices import Device
from tests.support.factories import PASSWORD, OutstandingTokenFactory, UserFactory

pytestmark = pytest.mark.django_db

# What the download leaves out on purpose: keys of rows, and what only the site needs.


def downloaded(device):
    answer = device.http.get("/api/me/download/", **device.bearer)
    assert answer.status_code == HTTPStatus.OK
    return answer


def fill(user):
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    SocialAccount.objects.create(user=user, provider="google", uid=f"uid-{user.pk}")
    Authenticator.objects.create(user=user, type="totp", data={"secret": "a-secret"})
    at = timezone.now() - timedelta(days=40)
    Activity.objects.create(user=user, kind="reuse", at=at, session_id=f"old-{user.pk}")


def test_has_every_part_with_the_users_rows_and_no_others(user, device):
    fill(user)
    stranger = UserFactory()
    fill(stranger)
    OutstandingTokenFactory(user=stranger)

    data = downloaded(device).json()

    assert data["profile"]["email"] == user.email
    assert data["addresses"] == [{"email": user.email, "verified": True, "primary": True}]
    assert [each["ip_address"] for each in data["sessions"]] == ["127.0.0.1"]
    assert [each["session_id"] for each in data["activity"]] == [f"old-{user.pk}"]
    assert [each["uid"] for each in data["connected_accounts"]] == [f"uid-{user.pk}"]
    assert [each["type"] for each in data["second_factors"]] == ["totp"]


def test_has_no_secret(user, device):
    fill(user)

    text = downloaded(device).text

    assert not any(each in text for each in ("a-secret", user.password, device.access, "eyJ"))


def test_has_every_field_of_the_user_that_is_not_left_out(user, device):
    shown = downloaded(device).json()["profile"]

    assert shown["email"] == user.email
    assert not shown.keys() & {"id", "password", "is_staff", "is_superuser"}
    fields = {"email", "name", "language", "date_joined", "last_login", "delete_at"}
    assert shown.keys() >= fields


@pytest.mark.pages
def test_the_page_returns_the_same_with_its_django_session(client, user):
    client.post("/login/", {"login": user.email, "password": PASSWORD})
    device = Device(user)
    device.log_in()
    fill(user)

    answer = client.get("/account/download/")

    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]
    page, api = json.loads(answer.text), downloaded(device).json()
    assert page.keys() == api.keys() == {part.__name__ for part in PARTS}
    assert page["activity"] == api["activity"]
    assert page["profile"] == api["profile"]


@pytest.mark.pages
def test_without_a_sign_in_returns_nothing(client):
    assert client.get("/api/me/download/").status_code == HTTPStatus.UNAUTHORIZED
    assert client.get("/account/download/").url == "/login/?next=/account/download/"


def test_a_product_adds_a_part_in_one_place(device, monkeypatch):
    def orders(user):
        return [user.email]

    monkeypatch.setattr("accounts.data.PARTS", [*PARTS, orders])

    assert downloaded(device).json()["orders"] == [device.user.email]
