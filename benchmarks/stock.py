"""Run with the settings of a site: prints the names of users and the tokens of new sessions.

The sessions only of this project and of Simple JWT.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import django

from .load import USER_AGENT

PASSWORD = "correct horse battery staple"  # of nobody
USERS = 200


def all_users() -> list[Any]:
    """Return the users, which the first call creates."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415

    model = get_user_model()
    if not model.objects.exists():
        password, names = make_password(PASSWORD), {model.USERNAME_FIELD, "email"}
        fields = (dict.fromkeys(names, f"user{n}@example.com") for n in range(USERS))
        model.objects.bulk_create(model(**each, password=password) for each in fields)
        verify_all(model)
    return list(model.objects.order_by("pk"))


def verify_all(model: Any) -> None:
    """Make their addresses verified, if the site asks for that at a sign-in."""
    from django.apps import apps  # noqa: PLC0415

    if not apps.is_installed("allauth.account"):
        return
    address = apps.get_model("account", "EmailAddress")
    address.objects.bulk_create(
        address(user=user, email=user.email, verified=True, primary=True)
        for user in model.objects.all()
    )


def our_sessions(users: list[Any], count: int) -> list[dict[str, str]]:
    from token_blacklist.models import OutstandingToken  # noqa: PLC0415
    from token_blacklist.tokens import RefreshToken  # noqa: PLC0415

    now, records, made = datetime.now(UTC), [], []
    for n in range(count):
        user, token = users[n % len(users)], RefreshToken()
        token["user_id"], token["sid"] = str(user.pk), token["jti"]
        token["auth_time"] = token["iat"]
        records.append(
            OutstandingToken(
                user=user,
                session_id=token["sid"],
                created_at=now,
                expires_at=datetime.fromtimestamp(token["exp"], UTC),
                ip_address="127.0.0.1",
                user_agent=USER_AGENT,
            )
        )
        made.append({"refresh": str(token), "access": str(token.access_token)})
    OutstandingToken.objects.bulk_create(records, batch_size=5000)
    return made


def their_sessions(users: list[Any], count: int) -> list[dict[str, str]]:
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken  # noqa: PLC0415
    from rest_framework_simplejwt.tokens import RefreshToken  # noqa: PLC0415

    now, records, made = datetime.now(UTC), [], []
    for n in range(count):
        user, token = users[n % len(users)], RefreshToken()
        token["user_id"] = str(user.pk)
        ends = datetime.fromtimestamp(token["exp"], UTC)
        refresh = str(token)
        records.append(
            OutstandingToken(
                user=user, jti=token["jti"], token=refresh, created_at=now, expires_at=ends
            )
        )
        made.append({"refresh": refresh, "access": str(token.access_token)})
    OutstandingToken.objects.bulk_create(records, batch_size=5000)
    return made


def main() -> None:
    django.setup()
    from django.apps import apps  # noqa: PLC0415

    users, count = all_users(), int(sys.argv[1])
    is_ours = apps.is_installed("token_blacklist")
    sessions = (our_sessions if is_ours else their_sessions)(users, count) if count else []
    print(json.dumps({"users": [user.get_username() for user in users], "sessions": sessions}))


if __name__ == "__main__":
    main()
