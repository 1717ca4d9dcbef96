"""The users of tokens: which may use them, as a function and in SQL, and how a claim names one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, router
from django.utils.translation import gettext_lazy as _

from .conf import conf
from .exceptions import TokenError
from .statements import Selection, param, prepared, select
from .utils import is_plain_text


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


@prepared
def _by_id(using: str) -> Selection:
    return select(named_by_id()[:1], using)


def find_user(user_id: Any) -> Any:
    """Return the user with this USER_ID_FIELD, or None. One SELECT, unless it is None."""
    if user_id is None:
        return None
    return _by_id(router.db_for_read(get_user_model())).first(user_id=user_id)


def read_user_id(claim: Any) -> Any:
    """Return the USER_ID_FIELD that a claim names, with the type of that field.

    Raises:
        TokenError: the claim names no user.
    """
    field: Any = get_user_model()._meta.get_field(conf.USER_ID_FIELD)
    # A bool is an int to Python, and True would be user 1.
    if isinstance(claim, str | int) and not isinstance(claim, bool) and is_plain_text(str(claim)):
        try:
            value = field.to_python(claim)
        except (ValidationError, ValueError) as error:
            raise _nobody() from error
        # Only in its exact form: Python also reads "01" and the Arabic digit one as 1.
        if str(value) == str(claim):
            return value
    raise _nobody()


def _nobody() -> TokenError:
    return TokenError(_("Token contained no recognizable user identification"))
