"""Which users may use tokens, in Python and in SQL, and which user a claim identifies."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from .conf import conf
from .exceptions import TokenError
from .statements import TEXT, narrowed, param
from .utils import is_storable


def default_user_authentication_rule(user: Any) -> bool:
    """Return whether the user, or None, may sign in. The default of USER_AUTHENTICATION_RULE."""
    return user is not None and (
        not conf.CHECK_USER_IS_ACTIVE or bool(getattr(user, "is_active", True))
    )


def active_users() -> models.QuerySet[Any]:
    """Return the users whom the default rule allows, for SQL statements that load no user.

    All users of the model's default manager if `is_active` is no column of the model.
    """
    model = get_user_model()
    users = narrowed(model._default_manager.all(), models.QuerySet[Any](model))
    if conf.CHECK_USER_IS_ACTIVE and has_column("is_active"):
        users = users.filter(is_active=True)
    return users


def unchanged_user() -> models.QuerySet[Any]:
    """Return the user with the key `user`, if active and still with the `password` hash.

    A model without a column for passwords has nothing to compare.
    """
    meta: Any = get_user_model()._meta
    users = active_users().filter(pk=param("user", meta.pk))
    if not has_column("password"):
        return users
    hash_ = meta.get_field("password")
    if not hash_.null:
        return users.filter(password=param("password", hash_))
    # NULL, of a user without a password, is compared as the empty text.
    return users.filter(Exact(Coalesce("password", models.Value("")), param("password", TEXT)))


def has_column(name: str) -> bool:
    """Return whether the user model has a column of this name."""
    return any(field.name == name for field in get_user_model()._meta.fields)


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


def named(
    users: models.QuerySet[Any] | None = None, *, by_key: bool = False
) -> models.QuerySet[Any]:
    """Return the user in the parameter `user_id`: USER_ID_FIELD or primary key.

    By default, among the users of the model's default manager, with its annotations.
    """
    field = get_user_model()._meta.pk if by_key else id_field()
    found = get_user_model()._default_manager.all() if users is None else users
    return found.filter(**{field.name: param("user_id", field)})


def id_field() -> Any:
    """Return the field of USER_ID_FIELD, which can be "pk"."""
    meta = get_user_model()._meta
    return meta.pk if conf.USER_ID_FIELD == "pk" else meta.get_field(conf.USER_ID_FIELD)


def id_of(user: Any) -> Any:
    """Return the user's USER_ID_FIELD. For a key to another table, the key."""
    return getattr(user, id_field().attname)


def user_id_of(claim: Any) -> Any:
    """Return the claim as a value of USER_ID_FIELD. Raises TokenError if it cannot be one."""
    # A bool is an int to Python, and True would be user 1.
    if isinstance(claim, str | int) and not isinstance(claim, bool):
        try:
            value = id_field().to_python(claim) if is_storable(str(claim)) else None
        except (ValidationError, ValueError):
            value = None
        # Only in its exact form: Python also reads "01" and the Arabic digit one as 1.
        if value is not None and str(value) == str(claim):
            return value
    raise TokenError(_("Token contained no recognizable user identification"))


def is_login(text: str) -> bool:
    """Return whether USERNAME_FIELD can have this value: a number cannot have letters."""
    model: Any = get_user_model()
    try:
        model._meta.get_field(model.USERNAME_FIELD).to_python(text)
    except (ValidationError, ValueError):
        return False
    return True
