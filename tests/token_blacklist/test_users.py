"""The default rule for which users may sign in."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group

from token_blacklist import users


@pytest.mark.parametrize("is_active", [True, False])
def test_is_active_may_be_a_property_of_the_user_model(monkeypatch, is_active):
    user = SimpleNamespace(is_active=is_active)
    monkeypatch.setattr(users, "get_user_model", lambda: Group)  # a model without the field

    assert users.default_user_authentication_rule(user) is is_active


def test_a_missing_user_may_not_sign_in():
    assert users.default_user_authentication_rule(None) is False
