"""Which users may use tokens, in Python and in SQL, and which user a claim identifies."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from .conf import conf
from .exceptions import TokenError
from .statements import param
from .utils import is_plain_text


def default_user_authentication_rule(user: Any) -> bool:
    """Return whether the user, or None, may sign in. The default of USER_AUTHENTICATION_RULE."""
    return user is not None and (not conf.CHECK_USER_IS_ACTIVE or bool(user.is_active))


def active_users() -> models.QuerySet[Any]:
    """Return the users whom the default rule allows, for SQL statements that load no user.

    All users if `is_active` is a property of the model and not a column.
    """
    users = get_user_model()._default_manager.all()
    has_column = any(field.name == "is_active" for field in get_user_model()._meta.fields)
    return users.filter(is_active=True) if has_column and conf.CHECK_USER_IS_ACTIVE else users


def may_use_tokens(user: Any) -> bool:
    """Return whether the user, or None, may sign in and use tokens.

    Called wherever a user is loaded. USER_AUTHENTICATION_RULE can refuse more users than
    CHECK_USER_IS_ACTIVE, not fewer, and is called only for a user who exists.
    """
    is_allowed = default_user_authentication_rule(user)
    return is_allowed and (not has_own_rule() or bool(conf.USER_AUTHENTICATION_RULE(user)))


def has_own_rule() -> bool:
    """Return whether the site has its own rule, which needs the user to be loaded."""
    return conf.USER_AUTHENTICATION_RULE is not default_user_authentication_rule


def named(*, by_key: bool = False) -> models.QuerySet[Any]:
    """Return a queryset of the user in the parameter `user_id`: USER_ID_FIELD or primary key."""
    user = get_user_model()
    field: Any = user._meta.pk if by_key else user._meta.get_field(conf.USER_ID_FIELD)
    return user._default_manager.filter(**{field.name: param("user_id", field)})


def user_id_of(claim: Any) -> Any:
    """Return the claim as a value of USER_ID_FIELD. Raises TokenError if it cannot be one."""
    field: Any = get_user_model()._meta.get_field(conf.USER_ID_FIELD)
    # A bool is an int to Python, and True would be user 1.
    if isinstance(claim, str | int) and not isinstance(claim, bool) and is_plain_text(str(claim)):
        try:
            value = field.to_python(claim)
        except (ValidationError, ValueError):
            value = None
        # Only in its exact form: Python also reads "01" and the Arabic digit one as 1.
        if value is not None and str(value) == str(claim):
            return value
    raise TokenError(_("Token contained no recognizable user identification"))
