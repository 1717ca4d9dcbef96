"""What the sites in this folder have in common: settings, a view, and the documented lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import django
from django.conf import settings

ROOT = Path(__file__).parents[3]
PASSWORD = "a long password"
PAGE = (ROOT / "docs" / "adopting.md").read_text(encoding="utf-8")


def documented(heading: str) -> list[str]:
    """Return the lines that the section of docs/adopting.md adds, without indentation."""
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n##")[0]
    return [line.strip() for line in re.findall(r"(?m)^ *\+(.*)$", section)]


def configure(urls: str, *, apps: list[str], authentication: str, **more: Any) -> None:
    settings.configure(
        SECRET_KEY="only-for-the-tests-" * 4,
        USE_TZ=True,
        ROOT_URLCONF=urls,
        ALLOWED_HOSTS=["testserver"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "rest_framework",
            *apps,
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [authentication]},
        **more,
    )
    django.setup()


def create_user() -> Any:
    """Create the tables and return a user."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return get_user_model().objects.create_user("ada", "ada@example.com", PASSWORD)


def problems() -> list[str]:
    """Return the ids of the app's system checks that find something."""
    from django.core.checks import run_checks

    found = (message.id.partition(".") for message in run_checks())
    return sorted(number for app, _dot, number in found if app == "token_blacklist")
