"""`TokenUser`: a user made of the claims of a token, without a row in the database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NoReturn, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group, Permission
from django.db.models import Manager
from django.db.models.manager import EmptyManager

from .conf import conf


class TokenUser:
    """A user made of a token's claims, for services that share the key but not the database.

    It has the attributes and methods of Django's users. It has no permissions of its own, and
    cannot be saved. An unknown attribute is the claim of that name.
    """

    is_active = True
    is_anonymous = False
    is_authenticated = True

    groups: Manager[Group] = EmptyManager(Group)
    user_permissions: Manager[Permission] = EmptyManager(Permission)

    def __init__(self, token: Any) -> None:
        self.token: Mapping[str, Any] = token

    def __str__(self) -> str:
        return f"TokenUser {self.id}"

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, TokenUser) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __getattr__(self, claim: str) -> Any:
        """Return a claim of the token. Raises AttributeError, as Django's own code expects."""
        # `copy` and `pickle` ask before there is a token.
        claims = vars(self).get("token", {})
        if claim not in claims:
            raise AttributeError(f"The token has no claim {claim!r}.", name=claim, obj=self)
        return claims[claim]

    def __int__(self) -> int:
        """Return the primary key, so that a queryset takes the user for a foreign key."""
        key = get_user_model()._meta.pk
        if conf.USER_ID_FIELD not in {"pk", key.name}:
            raise TypeError("The token does not name the primary key of its user.")
        return int(self.id)

    @cached_property
    def id(self) -> Any:
        return self.token[conf.USER_ID_CLAIM]

    @property
    def pk(self) -> Any:
        return self.id

    @cached_property
    def username(self) -> Any:
        return self.token.get("username", "")

    @cached_property
    def is_staff(self) -> bool:
        return self.token.get("is_staff", False) is True

    @cached_property
    def is_superuser(self) -> bool:
        return self.token.get("is_superuser", False) is True

    def get_username(self) -> Any:
        return self.username

    def get_group_permissions(self, obj: Any = None) -> set[str]:
        return set()

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        return set()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_perms(self, perm_list: list[str], obj: Any = None) -> bool:
        return False

    def has_module_perms(self, module: str) -> bool:
        return False

    def _no_row(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("Token users have no DB representation")

    save = delete = set_password = check_password = _no_row


AuthUser = TypeVar("AuthUser", AbstractBaseUser, TokenUser)  # Simple JWT's hint for either user
