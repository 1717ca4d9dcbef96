"""A small project of a site that has copied the app, to run code in it as that site would.

    host = new_host(folder, stack, models="...", USE_TZ=False)
    assert host.run("show(sign_in().status_code)") == [200]

Each piece of code runs in a process of its own, after `migrate`. `PRELUDE` has the names that it
can use; `show()` hands values over, as JSON. The database is SQLite, or if the tests run on
PostgreSQL a new one on the same server.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parents[2]
SHOWN = "shown: "

SETTINGS = {
    "SECRET_KEY": "only-for-the-tests-" * 4,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["*"],
    "USE_TZ": True,
    "ROOT_URLCONF": "urls",
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "STATIC_URL": "static/",
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    "TOKEN_BLACKLIST": {},
}
APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
]
URLS = """
from django.contrib import admin
from django.urls import include, path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response


@api_view(["GET"])
@permission_classes([IsAuthenticated])
def me(request):
    return Response({"user": str(request.user.pk)})


urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/me/", me),
    path("api/", include("APP.urls")),
]
"""
PRELUDE = """
import json
from datetime import UTC, datetime, timedelta

import django
from django.core.management import call_command

django.setup()
if MIGRATE:
    if PEOPLE:
        call_command("makemigrations", "people", verbosity=0)
    call_command("migrate", verbosity=0)

from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

client = APIClient(raise_request_exception=False)


def show(*values):
    print(SHOWN + json.dumps(values, default=str))


def new_user(name="ada", **fields):
    return get_user_model().objects.create_user(name, password="pw", **fields)


def post(path, **body):
    return client.post("/api/" + path, body, format="json")


def sign_in(**body):
    return post("token/", **{"username": "ada", "password": "pw"} | body)


def refresh(token):
    return post("token/refresh/", refresh=str(token))


def sign_out(token):
    return post("token/blacklist/", refresh=str(token))


def me(token):
    return client.get("/api/me/", headers={"Authorization": f"Bearer {token}"})
"""


@dataclass(frozen=True)
class Host:
    """The project in a folder: `settings.py`, `urls.py`, the app, and the site's app `people`."""

    folder: Path
    migrate: bool
    has_people: bool

    def run(self, code: str, **environment: str) -> list[Any]:
        """Run code in a process of its own; return the values that it shows.

        Raises:
            AssertionError: it failed. The message has its output.
        """
        # Before the prelude, so that errors have the line numbers of the code.
        prelude = (
            f"MIGRATE, PEOPLE, SHOWN = {self.migrate}, {self.has_people}, {SHOWN!r}\n{PRELUDE}"
        )
        (self.folder / "prelude.py").write_text(prelude)
        (self.folder / "host_code.py").write_text(dedent(code))
        read = "compile(open('host_code.py').read(), 'host_code.py', 'exec')"
        script = f"from prelude import *\nexec({read})"
        done = self.process("-c", script, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        shown = [line for line in done.stdout.splitlines() if line.startswith(SHOWN)]
        return [value for line in shown for value in json.loads(line.removeprefix(SHOWN))]

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Django."""
        return self.process("-m", "django", *arguments, **environment)

    def process(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(self.folder),
                "PYTHONWARNINGS": "ignore",
                "DJANGO_SETTINGS_MODULE": "settings",
            }
            | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def new_host(
    folder: Path,
    stack: ExitStack,
    *,
    models: str = "",
    urls: str = "",
    package: str = "",
    apps: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
    migrate: bool = True,
    **settings: Any,
) -> Host:
    """Write the project into the empty folder. `stack` ends with its database.

    `models` is the models.py of the site's app `people`, whose `Person`, if it has one, is the
    user. `package` is the package that the app is copied into, such as "vendor". In `urls`, which
    replaces `URLS`, APP is the path of the app. `files` are more modules by their path. `settings`
    replace those of the project; their values are written by `repr()`.
    """
    app = f"{package}.token_blacklist" if package else "token_blacklist"
    home = folder / package
    home.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "token_blacklist", home / "token_blacklist")
    texts = {"urls.py": (urls or URLS).replace("APP", app), **(files or {})}
    texts["settings.py"] = _settings_text(
        SETTINGS
        | {
            "DATABASES": {"default": _database(folder, stack)},
            "INSTALLED_APPS": [*APPS, app, *(["people"] if models else []), *apps],
            "REST_FRAMEWORK": {
                "DEFAULT_AUTHENTICATION_CLASSES": [f"{app}.authentication.JWTAuthentication"]
            },
        }
        | ({"AUTH_USER_MODEL": "people.Person"} if "class Person(" in models else {})
        | settings
    )
    if models:
        texts |= {"people/__init__.py": "", "people/models.py": models}
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(text))
    return Host(folder, migrate, bool(models))


def _settings_text(settings: dict[str, Any]) -> str:
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    return "\n".join(["import datetime", *lines, ""])


def _database(folder: Path, stack: ExitStack) -> dict[str, Any]:
    """Return the DATABASES entry of a new database."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith(("postgres:", "postgresql:", "psql:")):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    server = {**conninfo_to_dict(url.replace("psql:", "postgresql:", 1)), "dbname": "postgres"}
    name = f"host_{uuid4().hex}"

    def send(sql: str) -> None:
        with psycopg.connect(**server, autocommit=True) as connection:
            connection.execute(sql)

    send(f"CREATE DATABASE {name}")
    stack.callback(send, f"DROP DATABASE {name} WITH (FORCE)")
    parts = {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        **{key: server.get(part, "") for key, part in parts.items()},
    }
