"""Which users may use tokens, as a function and as its twin in SQL."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from .conf import conf
from .statements import param


def may_use_tokens(user: Any) -> bool:
    """Return whether the user, or None, may sign in and use tokens.

    Asked wherever a user is loaded. USER_AUTHENTICATION_RULE can refuse more users than
    CHECK_USER_IS_ACTIVE, not fewer, and is asked only about a user who exists.
    """
    if not default_user_authentication_rule(user):
        return False
    return not has_own_rule() or bool(conf.USER_AUTHENTICATION_RULE(user))


def has_own_rule() -> bool:
    """Return whether the site has a rule that SQL does not know, so that it needs the user."""
    return conf.USER_AUTHENTICATION_RULE is not default_user_authentication_rule


def active_users() -> models.QuerySet[Any]:
    """Return the users whom the default rule allows, by `is_active` if that is a column.

    The twin of `may_use_tokens` in statements that load no user.
    """
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


def named_by_key() -> models.QuerySet[Any]:
    """Return the users whose primary key is the parameter `user_id` of a statement."""
    user = get_user_model()
    return user._default_manager.filter(pk=param("user_id", user._meta.pk))
