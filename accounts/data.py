"""What is stored about a user, for the download of their data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount

from token_blacklist.models import OutstandingToken

from .models import Activity, User

# Fields of the user that the download does not have. A product adds its secrets here.
LEFT_OUT = {"id", "password", "is_superuser", "is_staff", "is_active", "secured_at"}


def profile(user: User) -> Any:
    """Return all other fields of the user, also those that a product has added."""
    fields = [field.name for field in User._meta.concrete_fields if field.name not in LEFT_OUT]
    return User.objects.filter(pk=user.pk).values(*fields).get()


def addresses(user: User) -> Any:
    return list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary"))


def sessions(user: User) -> Any:
    """Return the sessions that are still stored. Their tokens are not."""
    fields = ("session_id", "created_at", "refreshed_at", "expires_at", "ip_address", "user_agent")
    own = OutstandingToken.objects.filter(user=user).order_by("pk")
    ended = ("blacklistedtoken__blacklisted_at", "blacklistedtoken__reason")
    return [
        {name.removeprefix("blacklistedtoken__"): value for name, value in row.items()}
        for row in own.values(*fields, *ended)
    ]


def activity(user: User) -> Any:
    fields = ("kind", "at", "session_id", "ip_address", "user_agent", "note")
    return list(Activity.objects.filter(user=user).order_by("at", "pk").values(*fields))


def connected_accounts(user: User) -> Any:
    fields = ("provider", "uid", "date_joined", "last_login")
    return list(SocialAccount.objects.filter(user=user).values(*fields))


def second_factors(user: User) -> Any:
    """Return the types and dates, without secrets."""
    fields = ("type", "created_at", "last_used_at")
    return list(Authenticator.objects.filter(user=user).values(*fields))


# A product adds a function for each new kind of data.
PARTS: list[Callable[[User], Any]] = [
    profile,
    addresses,
    sessions,
    activity,
    connected_accounts,
    second_factors,
]


def data_of(user: User) -> dict[str, Any]:
    """Return everything that is stored about the user, by the names of the functions above."""
    return {part.__name__: part(user) for part in PARTS}
