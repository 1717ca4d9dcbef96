"""The start in production: it refuses what is not fit, in sentences, all of them at once."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import ConnectionHandler, OperationalError

from tests.support.checkout import (
    ROOT,
    SETTINGS,
    VARIABLES,
    bare_environment,
    copy_into,
    refusal,
    run,
)
from tests.support.start import manage, problems, settings_of

EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def test_a_start_with_nothing_set_names_all_that_is_missing():
    assert problems() == [
        "SECRET_KEY",
        "JWT_SIGNING_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "EMAIL_URL",
    ]


@pytest.mark.process
def test_a_command_says_what_is_missing_and_fails():
    done = manage("check")

    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Invalid settings:"
    assert len(done.stderr.splitlines()) == 6


def test_a_start_with_everything_wrong_names_it_all():
    wrong = {
        "SECRET_KEY": "example-secret-key",
        "JWT_SIGNING_KEY": "too-short",
        "DATABASE_URL": "nonsense",
        "NUM_PROXIES": "abc",
        "WEB_CONCURRENCY": "two",
        "SECURE_SSL_REDIRECT": "ture",
        "LOG_LEVEL": "LOUD",
        "ACCOUNTS_ALLOW_SIGNUP": "perhaps",
        "CACHE_URL": "nonsense",
        "EMAIL_URL": "nonsense",
        "ACCOUNT_EMAIL_VERIFICATION": "perhaps",
        "THROTTLE_REFRESH": "often",
    }

    assert set(problems(**wrong)) == {*wrong, "ALLOWED_HOSTS"}


def test_an_env_file_that_is_missing_is_named_first():
    assert problems(ENV_FILE="/nowhere/env")[0] == "ENV_FILE"


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"SITE_NAME=\xff")])
def test_an_env_file_that_cannot_be_read_is_named_first(tmp_path, make):
    make(tmp_path / "env")

    assert problems(ENV_FILE=str(tmp_path / "env"))[0] == "ENV_FILE"


def test_an_env_file_that_links_to_nothing_is_named(tmp_path):
    """As /app/.env does, if the file in /etc is gone."""
    copy_into(tmp_path)
    (tmp_path / ".env").symlink_to(tmp_path / "gone")

    done = run(sys.executable, "manage.py", "check", cwd=tmp_path)

    assert f"ENV_FILE names {tmp_path / '.env'}, which does not exist." in done.stderr


def test_a_variable_that_is_set_in_both_ways_is_refused(fit, tmp_path):
    (tmp_path / "key").write_text(secrets.token_urlsafe(64))

    assert problems(**fit | {"SECRET_KEY_FILE": str(tmp_path / "key")}) == ["SECRET_KEY"]
    assert fit["SECRET_KEY"] == settings_of(**fit | {"SECRET_KEY_FILE": ""}).SECRET_KEY


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY"])
@pytest.mark.parametrize(
    "key", ["example-signing-key-that-is-long-enough-for-everything", "x" * 31]
)
def test_a_key_that_is_known_or_short_is_refused(fit, name, key):
    other = {"JWT_SIGNING_KEY": secrets.token_urlsafe(64)}

    assert problems(**fit | other | {name: key}) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "oracle://user:password@host/name"),
        ("DATABASE_URL", "postgres://user:password@host:port/name"),
        ("DEMO_USERS", "some"),
        ("NUM_PROXIES", "abc"),
        ("NUM_PROXIES", "-1"),
        ("ACCESS_TOKEN_SECONDS", "9" * 20),
        ("SECURE_HSTS_SECONDS", "1e5"),
        ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "some"),
        ("SECURE_HSTS_PRELOAD", "soon"),
        ("SECURE_SSL_REDIRECT", "ture"),
        ("LOG_LEVEL", "LOUD"),
        ("ACCOUNTS_ALLOW_SIGNUP", "perhaps"),
        ("CACHE_URL", "locmemcache://"),  # each process would count alone
        ("CACHE_URL", "redis"),
        ("EMAIL_URL", "pigeon://host"),
        ("EMAIL_URL", "smtp://host:port"),
        ("RATE_LIMITS", "some"),
        ("THROTTLE_REFRESH", "20"),
        ("THROTTLE_REFRESH", "20/min"),  # Django REST framework's format
        ("THROTTLE_REFRESH", "2.5/m/ip"),
        ("THROTTLE_REFRESH", "0/m/ip"),
        ("THROTTLE_INTROSPECT", "-1/h/user"),
        ("THROTTLE_INTROSPECT", "5/fortnight"),
        ("THROTTLE_INTROSPECT", "5/m/key"),
        ("ACCOUNT_EMAIL_VERIFICATION", "yes"),
        ("ADMIN_REQUIRES_SECOND_FACTOR", "all"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "app.example.com,*"),
        ("ALLOWED_HOSTS", "https://app.example.com"),
        ("ALLOWED_HOSTS", "app.example.com:8000"),
        ("ALLOWED_HOSTS", "[::1]:8000"),
        ("ALLOWED_HOSTS", "app.example.com/"),
        ("ALLOWED_HOSTS", "app.example.com www.example.com"),
        ("SECRET_KEY_FALLBACKS", "example-key-that-is-long-enough-for-everything-and-more"),
        ("SECRET_KEY_FALLBACKS", "short"),
        ("ADMIN_URL", ""),
        ("ADMIN_URL", "/back-office/"),
        ("ADMIN_URL", "back-office"),
        ("ADMIN_URL", "api/admin/"),
        ("ADMIN_URL", "login/"),
        ("ADMIN_URL", "<path:all>/"),
        ("SESSION_SECONDS", "0"),
        ("SHORT_SESSION_SECONDS", "0"),
        ("ACCESS_LOG", "some"),
        ("ACCESS_LOG", "2"),
        ("METRICS_TOKEN", "x"),
        ("METRICS_TOKEN", "fifteen-letters"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(fit, name, value):
    assert problems(**fit | {name: value}) == [name]


@pytest.mark.parametrize("host", ["app.example.com", ".example.com", "192.0.2.7", "[::1]"])
def test_a_host_may_be_a_name_a_domain_or_an_address(fit, host):
    hosts = settings_of(**fit | {"ALLOWED_HOSTS": host}).ALLOWED_HOSTS

    assert hosts == [host]


@pytest.mark.parametrize("password", ["pa/ss", "12/34", "pa?ss", "pa#ss", "p:a/s@s"])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgres://user:{}@db.example.com/name"),
        ("CACHE_URL", "redis://:{}@cache.example.com:6379/0"),
        ("EMAIL_URL", "smtp+tls://user:{}@mail.example.com:587"),
    ],
)
def test_a_password_that_ends_its_url_too_early_is_refused_with_what_to_write(
    fit, name, url, password
):
    sender = {"DEFAULT_FROM_EMAIL": "accounts@example.com"}
    with pytest.raises(
        ImproperlyConfigured,
        match=f"{name} has a special character in its password. Write /.* as %2F",
    ):
        settings_of(**fit | sender | {name: url.format(password)})

    assert settings_of(**fit | sender | {name: url.format(quote(password, safe=""))})


def test_a_database_is_asked_for_outside_debug_alone(fit, tmp_path):
    del fit["DATABASE_URL"]

    assert problems(**fit) == ["DATABASE_URL"]
    assert settings_of(**fit, DEBUG="True").DATABASES["default"]["NAME"].endswith("db.sqlite3")
    file = tmp_path / "database"
    file.write_text("postgres://user:password@host/name\n", encoding="utf-8")
    named = settings_of(**fit | {"DATABASE_URL": "", "DATABASE_URL_FILE": str(file)}).DATABASES[
        "default"
    ]
    assert named["HOST"] == "host"


# A product of `make new` has a sender of its own by default.
WITHOUT_SENDER = [{}] if 'default="webmaster@localhost"' in SETTINGS else []


@pytest.mark.parametrize("sender", [*WITHOUT_SENDER, {"DEFAULT_FROM_EMAIL": "webmaster@localhost"}])
def test_mail_that_leaves_the_machine_needs_a_sender(fit, sender):
    fit["EMAIL_URL"] = "smtp+tls://user:password@mail.example.com:587"

    assert problems(**fit, **sender) == ["DEFAULT_FROM_EMAIL"]
    assert settings_of(**fit, **sender, DEBUG="True")


@pytest.mark.parametrize("clients", ["billing", "billing:secret", f":{'a' * 64}", "a:B" + "0" * 63])
def test_a_service_needs_a_name_and_a_digest(fit, clients):
    assert problems(**fit, INTROSPECTION_CLIENTS=clients) == ["INTROSPECTION_CLIENTS"]


def test_a_service_may_have_two_secrets(fit):
    old, new = "a" * 64, "b" * 64
    settings = settings_of(**fit, INTROSPECTION_CLIENTS=f"billing:{old}, billing:{new},shop:{old}")

    clients = settings.TOKEN_BLACKLIST["INTROSPECTION_CLIENTS"]
    assert clients == {"billing": [old, new], "shop": [old]}


def test_an_empty_rate_is_no_limit(fit):
    rates = settings_of(**fit, THROTTLE_INTROSPECT="").ACCOUNT_RATE_LIMITS

    assert rates.pop("introspect") == ""
    assert rates.pop("refresh") == ""  # by default
    assert all(rates.values())
    given = settings_of(**fit, THROTTLE_REFRESH="600/m,5000/12h/ip").ACCOUNT_RATE_LIMITS
    assert given["refresh"] == "600/m,5000/12h/ip"
    assert settings_of(**fit, RATE_LIMITS="False").ACCOUNT_RATE_LIMITS is False


def test_a_variable_of_a_limit_that_there_is_no_more_is_ignored(fit):
    """A developer's .env may still have it."""
    assert settings_of(**fit, THROTTLE_LOGIN="20/min", THROTTLE_RESET_ACCOUNT="5/hour")


PROVIDERS = {
    "google": ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"],
    "github": ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"],
    "microsoft": ["MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"],
    "apple": ["APPLE_CLIENT_ID", "APPLE_KEY_ID", "APPLE_TEAM_ID", "APPLE_PRIVATE_KEY"],
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_there_if_all_of_its_variables_are_set(fit, name):
    given = {variable: f"the {variable}" for variable in PROVIDERS[name]}

    read = settings_of(**fit, **given)

    installed = [app for app in read.INSTALLED_APPS if "socialaccount.providers" in app]
    assert installed == [f"allauth.socialaccount.providers.{name}"]
    (app,) = read.SOCIALACCOUNT_PROVIDERS[name]["APPS"]
    assert app["client_id"] == given[PROVIDERS[name][0]]
    assert len(read.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]) == 2
    for missing in PROVIDERS[name]:
        assert problems(**fit, **given | {missing: ""}) == [missing]


def test_without_variables_there_is_no_provider(fit):
    read = settings_of(**fit)

    assert read.SOCIALACCOUNT_PROVIDERS == {}
    assert not [app for app in read.INSTALLED_APPS if "socialaccount.providers" in app]


@pytest.mark.parametrize(
    ("given", "verification", "by_code"),
    [
        ({}, "mandatory", True),
        ({"DEBUG": "True"}, "optional", False),
        ({"ACCOUNT_EMAIL_VERIFICATION": "none"}, "none", False),
    ],
)
def test_outside_debug_an_address_has_to_be_verified(fit, given, verification, by_code):
    read = settings_of(**fit, **given)

    assert verification == read.ACCOUNT_EMAIL_VERIFICATION
    assert by_code is read.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED


@pytest.mark.parametrize(
    ("given", "threshold"), [({}, 5), ({"DB_PREPARED_STATEMENTS": "no"}, None)]
)
def test_statements_are_prepared_where_nothing_in_between_forbids_it(fit, given, threshold):
    postgresql = {"DATABASE_URL": "postgres://user:password@host/name?connect_timeout=3"}

    options = settings_of(**fit | postgresql | given).DATABASES["default"]["OPTIONS"]

    assert options["prepare_threshold"] == threshold
    assert options["connect_timeout"] == 3


@pytest.mark.parametrize(
    ("query", "milliseconds"), [("", 10_000), ("?tcp_user_timeout=30000", 30_000)]
)
def test_a_database_host_that_vanishes_is_given_up(fit, query, milliseconds):
    url = {"DATABASE_URL": f"postgres://user:password@host/name{query}"}

    options = settings_of(**fit | url).DATABASES["default"]["OPTIONS"]

    assert options["tcp_user_timeout"] == milliseconds
    assert options["keepalives_idle"] + 2 * options["keepalives_interval"] <= 20


def test_a_redis_is_the_cache_where_one_is_named(fit):
    redis = "redis://cache.example.com:6379/1"

    cache = settings_of(**fit, CACHE_URL=redis).CACHES["default"]

    assert cache["BACKEND"] == "django.core.cache.backends.redis.RedisCache"
    assert cache["LOCATION"] == redis
    assert "serializer" not in cache["OPTIONS"]  # Django's own, for values of any type


def test_mail_goes_to_the_server_that_is_named(fit):
    fit["EMAIL_URL"] = "smtp+tls://user:password@mail.example.com:587"
    mail = settings_of(**fit, DEFAULT_FROM_EMAIL="accounts@example.com")

    assert mail.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    assert (mail.EMAIL_HOST, mail.EMAIL_PORT) == ("mail.example.com", 587)
    assert (mail.EMAIL_HOST_USER, mail.EMAIL_HOST_PASSWORD) == ("user", "password")
    assert (mail.EMAIL_USE_TLS, mail.EMAIL_USE_SSL) == (True, False)


def test_a_variable_can_be_given_as_a_file(fit, tmp_path):
    key = tmp_path / "key"
    key.write_text(fit["SECRET_KEY"] + "\n", encoding="utf-8")

    read = settings_of(SECRET_KEY_FILE=str(key), **fit | {"SECRET_KEY": ""}).SECRET_KEY

    assert read == fit["SECRET_KEY"]


def test_a_file_that_is_not_there_is_named(fit, tmp_path):
    signing_key = {"JWT_SIGNING_KEY": secrets.token_urlsafe(64)}
    missing = {"SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "missing")}

    assert problems(**fit | signing_key | missing) == ["SECRET_KEY_FILE", "SECRET_KEY"]


@pytest.mark.process
def test_demo_users_are_refused_in_production(fit, tmp_path):
    done = manage("demo", **fit)

    assert "Demo users are for DEBUG only" in refusal(done)
    assert not (tmp_path / "db.sqlite3").exists()


@pytest.mark.process
def test_the_production_block_of_the_example_passes_the_deployment_check(fit):
    (block,) = re.findall(
        r"(?m)^# A complete configuration for production:\n((?:# \w+=.*\n)+)", EXAMPLE
    )
    lines = [line.removeprefix("# ").partition("=") for line in block.splitlines()]
    production = {
        name: secrets.token_urlsafe(48) if value.startswith("<") else value
        for name, _, value in lines
    }
    assert set(production) >= {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"}
    production["DATABASE_URL"] = fit["DATABASE_URL"]

    done = manage("check", "--deploy", "--fail-level", "WARNING", **production)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("variables", "warnings"),
    [
        ({}, 1),
        ({"ACCOUNT_EMAIL_VERIFICATION": "none"}, 0),
        ({"EMAIL_URL": "smtp://mail", "DEFAULT_FROM_EMAIL": "a@example.com"}, 0),
        ({"DEBUG": "True"}, 0),
    ],
)
def test_a_check_reminds_of_codes_that_nobody_would_receive(fit, variables, warnings):
    done = manage("check", "--deploy", **fit | variables)

    assert done.returncode == 0
    assert done.stderr.count("config.W002") == warnings


@pytest.mark.process
@pytest.mark.parametrize(
    ("variables", "warnings"),
    [({"NUM_PROXIES": "0"}, 1), ({"NUM_PROXIES": "1"}, 0), ({"DEBUG": "True"}, 0)],
)
def test_the_deployment_check_reminds_of_the_proxy(fit, variables, warnings):
    done = manage("check", "--deploy", **fit | variables)

    assert done.returncode == 0
    assert done.stderr.count("config.W001") == warnings


def test_every_variable_that_the_settings_read_is_in_the_example():
    assert len(VARIABLES) > 10
    assert set(re.findall(r"(?m)^(?:# )?([A-Z][A-Z_]*)=", EXAMPLE)) >= VARIABLES


def test_the_key_set_is_a_file_that_may_not_exist_yet_or_a_text(fit, tmp_path):
    fit = fit | {"JWT_SIGNING_KEY": ""}
    file = settings_of(**fit | {"JWT_KEYS_FILE": "keys/jwt.json"}).TOKEN_BLACKLIST
    text = settings_of(**fit | {"JWT_KEYS": '{"keys": []}'}).TOKEN_BLACKLIST
    neither = settings_of(**fit).TOKEN_BLACKLIST

    assert (file["KEYS_FILE"], file["KEYS"]) == (str(ROOT / "keys/jwt.json"), None)
    assert (text["KEYS_FILE"], text["KEYS"]) == (None, '{"keys": []}')
    assert (neither["KEYS_FILE"], neither["KEYS"]) == (None, None)


def test_a_key_set_given_twice_or_a_folder_of_keys_is_refused(fit):
    assert problems(**fit | {"JWT_KEYS": "{}", "JWT_KEYS_FILE": "keys/jwt.json"}) == ["JWT_KEYS"]
    assert problems(**fit | {"JWT_KEYS_DIR": "keys"}) == ["JWT_KEYS_DIR"]


@pytest.fixture
def collected(tmp_path):
    """A folder of static files, of which a server has to find the list."""
    manifest = {"version": "1.1", "paths": {"icon.svg": "icon.0.svg"}, "hash": "0"}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path


def start_server(static, root=ROOT, then="", **variables):
    """Do what each of gunicorn's workers does first, and then run more code."""
    code = f"from django.conf import settings as s; s.STATIC_ROOT = {str(static)!r}"
    environment = bare_environment(
        DJANGO_SETTINGS_MODULE="config.settings", ENV_FILE="", **variables
    )
    command = [sys.executable, "-c", f"{code}; import config.wsgi; {then}"]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.process
def test_a_server_does_not_start_with_keys_that_the_checks_refuse(fit, collected):
    done = start_server(collected, **fit | {"JWT_ALGORITHM": "HS512", "JWT_SIGNING_KEY": "x" * 40})

    assert done.returncode != 0
    assert "at least 64 random bytes" in done.stderr


@pytest.mark.process
def test_a_server_starts_with_what_is_fit(fit, collected):
    done = start_server(collected, **fit)

    assert done.returncode == 0, done.stderr


@pytest.mark.process
def test_a_server_has_imported_the_views_before_its_first_request(fit, collected):
    then = "import sys; print('accounts.views' in sys.modules, 'fido2.server' in sys.modules)"

    assert start_server(collected, then=then, **fit).stdout.splitlines()[-1] == "True True"


@pytest.mark.process
def test_a_server_does_not_start_without_static_files_but_commands_do(fit, tmp_path):
    done = start_server(tmp_path / "nothing", **fit)

    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].endswith("Run: manage.py collectstatic --no-input")
    assert manage("migrate", "--plan", **fit).returncode == 0


@pytest.mark.process
def test_a_server_without_compiled_translations_starts_and_warns(fit, collected, tmp_path):
    for name in ("config", "accounts", "token_blacklist"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.mo"))

    done = start_server(collected, root=tmp_path, **fit)

    assert done.returncode == 0, done.stderr
    assert "Run: manage.py compilemessages" in done.stdout
    assert "compilemessages" not in start_server(collected, **fit).stdout


@pytest.mark.process
def test_an_unwritable_metrics_folder_is_reported_in_one_sentence(fit):
    # Not writable to the superuser either.
    done = manage("check", **fit, METRICS_DIR="/proc/nowhere", METRICS_TOKEN="x" * 16)

    assert refusal(done).startswith("METRICS_DIR is not writable:")


def test_former_keys_are_fallbacks(fit):
    former = [secrets.token_urlsafe(64), secrets.token_urlsafe(64)]

    read = settings_of(**fit, SECRET_KEY_FALLBACKS=",".join(former))

    assert list(read.SECRET_KEY_FALLBACKS) == former


def test_a_django_session_lasts_as_long_as_a_session_can(fit):
    read = settings_of(**fit, SESSION_SECONDS="7200", SHORT_SESSION_SECONDS="3600")

    assert read.SESSION_COOKIE_AGE == 7200
    assert read.TOKEN_BLACKLIST["SESSION_LIFETIME"] == timedelta(hours=2)
    assert read.TOKEN_BLACKLIST["SHORT_SESSION_LIFETIME"] == timedelta(hours=1)


ADMIN_ELSEWHERE = """
import django
django.setup()
from django.test import Client
from django.urls import reverse

client = Client(headers={"host": "localhost"})
page = client.get("/back-office/login/")
print(reverse("admin:index"), page.status_code, client.get("/admin/").status_code)
print(page.headers["Location"])
print(client.get("/back-office/").headers["Location"])
print("unsafe-eval" in client.get("/back-office/").headers["Content-Security-Policy"])
"""


@pytest.mark.process
def test_the_admin_may_be_at_another_address(database, tmp_path):
    done = run(
        sys.executable,
        "-c",
        ADMIN_ELSEWHERE,
        DJANGO_SETTINGS_MODULE="config.settings",
        ENV_FILE="",
        DEBUG="True",
        LOG_LEVEL="CRITICAL",
        ADMIN_URL="back-office/",
        DATABASE_URL=database,
    )

    assert done.stdout.splitlines() == [
        "/back-office/ 302 404",
        "/login/?next=%2Fback-office%2Flogin%2F",
        "/back-office/login/?next=/back-office/",
        "True",
    ], done.stderr


@pytest.mark.postgresql
def test_a_statement_timeout_in_the_url_ends_a_long_statement(fit, db):
    url = os.environ["DATABASE_URL"]
    more = "options=-c%20statement_timeout%3D50ms"
    fit["DATABASE_URL"] = f"{url}{'&' if '?' in url else '?'}{more}"
    connection = ConnectionHandler(settings_of(**fit).DATABASES)["default"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        timeout = cursor.fetchone()
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(60)")
    connection.close()

    assert timeout == ("50ms",)


def test_a_space_after_the_comma_between_hosts_is_no_part_of_a_name(fit):
    settings = settings_of(**{**fit, "ALLOWED_HOSTS": "app.example.com, www.example.com"})

    assert settings.ALLOWED_HOSTS == ["app.example.com", "www.example.com"]
