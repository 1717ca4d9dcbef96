"""The current user, /api/me/, and the user model: address, name, password."""

from http import HTTPStatus

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import User
from tests.support.factories import UserFactory


def patch(device, data):
    return device.http.patch(
        "/api/me/", data, format="json", HTTP_AUTHORIZATION=f"Bearer {device.access}"
    )


def test_me_returns_the_current_user(device, user):
    answer = device.me()

    assert answer.status_code == HTTPStatus.OK
    assert answer.json().keys() >= {"id", "email", "name", "date_joined"}
    assert "password" not in answer.json()
    assert answer.json()["email"] == user.email


def test_patch_me_changes_only_the_name(device, user):
    answer = patch(device, {"name": "Grace", "email": "other@example.com", "is_staff": True})

    assert answer.status_code == HTTPStatus.OK
    user.refresh_from_db()
    assert (user.name, user.is_staff) == ("Grace", False)
    assert user.email != "other@example.com"


def test_a_null_or_too_long_name_is_refused(device):
    assert patch(device, {"name": None}).json() == {"name": ["This field may not be null."]}
    assert patch(device, {"name": "x" * 151}).status_code == HTTPStatus.BAD_REQUEST


def test_me_without_a_token_is_401(client, db):
    answer = client.get("/api/me/")

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["code"] == "not_authenticated"


def test_an_email_address_in_another_case_is_the_same_user(db):
    UserFactory(email="ada@example.com")

    with pytest.raises(ValidationError):
        User(email="ADA@example.com", password="x").full_clean()
    with pytest.raises(IntegrityError):
        UserFactory(email="ADA@EXAMPLE.COM")
