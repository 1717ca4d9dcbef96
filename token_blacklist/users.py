"""Which users may sign in, as a query and as a function."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from .conf import conf
from .statements import param


def active_users() -> models.QuerySet[Any]:
    """Return the users who may sign in, by `is_active` if that is a column."""
    users = get_user_model()._default_manager.all()
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return users
    return users.filter(is_active=True) if conf.CHECK_USER_IS_ACTIVE else users


def default_user_authentication_rule(user: Any) -> bool:
    """Return whether the user, or None, may sign in. The default of USER_AUTHENTICATION_RULE.

    Also for a user model whose `is_active` is a property, which `active_users` cannot filter by.
    """
    return user is not None and (not conf.CHECK_USER_IS_ACTIVE or bool(user.is_active))


def named_by_id() -> models.QuerySet[Any]:
    """Return the users whose USER_ID_FIELD is the parameter `user_id` of a statement."""
    field = get_user_model()._meta.get_field(conf.USER_ID_FIELD)
    return get_user_model()._default_manager.filter(**{field.name: param("user_id", field)})
