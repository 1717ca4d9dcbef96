"""The settings in production: invalid ones prevent the start, and are all listed at once."""

from __future__ import annotations

import re
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from config import product
from config.monitoring import checks
from tests.support.checkout import (
    ROOT,
    VARIABLES,
    run,
)
from tests.support.parts import only_with
from tests.support.start import manage, problems, settings_of

EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def test_a_start_without_variables_lists_every_missing_one():
    assert problems() == [
        "SECRET_KEY",
        "JWT_SIGNING_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "EMAIL_URL",
    ]


def test_a_start_with_several_invalid_variables_lists_them_all():
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


def test_a_variable_set_as_value_and_as_file_is_refused(production_env, tmp_path):
    (tmp_path / "key").write_text(secrets.token_urlsafe(64))

    assert problems(**production_env | {"SECRET_KEY_FILE": str(tmp_path / "key")}) == ["SECRET_KEY"]
    assert (
        production_env["SECRET_KEY"]
        == settings_of(**production_env | {"SECRET_KEY_FILE": ""}).SECRET_KEY
    )


LONG = "abcdefghijklmnopqrstuvwxyz" * 3


@pytest.mark.parametrize("value", [f"${LONG}", rf"a\$b{LONG}"])
def test_a_value_with_a_dollar_sign_is_that_value(production_env, tmp_path, value):
    (tmp_path / "key").write_text(value)
    (tmp_path / "env").write_text(f"SITE_NAME={value}\nACCENT_COLOR=#3b5bdb\n")
    given = {
        "SECRET_KEY": value,
        "JWT_SIGNING_KEY_FILE": str(tmp_path / "key"),
        "ENV_FILE": str(tmp_path / "env"),
        "SECRET_KEY_FALLBACKS": f"{value}, {LONG}",
        "OTHER": "another value",
        LONG: "another value",
    }

    read = settings_of(**production_env | given)

    assert read.SECRET_KEY == read.SITE_NAME == value
    assert read.TOKEN_BLACKLIST["SIGNING_KEY"] == value
    assert [value, LONG] == read.SECRET_KEY_FALLBACKS


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY"])
def test_the_name_of_a_variable_is_no_key(production_env, name):
    keys = {"SECRET_KEY": LONG, "JWT_SIGNING_KEY": LONG}

    assert problems(**production_env | keys | {name: f"${name}"}) == [name]


@pytest.mark.parametrize("user", ["u%40b.example", "$u"])
def test_a_password_in_a_url_may_begin_with_a_dollar_sign(production_env, user):
    urls = {
        **dict(only_with("postgresql", ("DATABASE_URL", f"postgres://{user}:$x@host/name"))),
        "EMAIL_URL": f"smtp+tls://{user}:$a+b@host:587",
        "CACHE_URL": f"redis://{user}:$x@host:6379/0",
        "DEFAULT_FROM_EMAIL": "Acme <a@b.example>",
    }

    read = settings_of(**production_env | urls)

    for password in only_with("postgresql", "$x"):
        assert read.DATABASES["default"]["PASSWORD"] == password
    assert ("$a+b", user.replace("%40", "@")) == (read.EMAIL_HOST_PASSWORD, read.EMAIL_HOST_USER)
    assert ":$x@host" in read.CACHES["default"]["LOCATION"]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SITE_NAME=Acme # the name", "Acme"),
        ("SITE_NAME=Acme#1", "Acme#1"),
        ("SITE_NAME='Acme # 1' # the name", "Acme # 1"),
        (r'SITE_NAME="Acme \"# 1\""', 'Acme "# 1"'),
        ("export SITE_NAME=Acme", "Acme"),
        ("\ufeffSITE_NAME=Acme", "Acme"),
        ("SITE_NAME=Acme\r", "Acme"),
        ("  # a comment\n\n#\nSITE_NAME=Acme", "Acme"),
        ("#SITE_NAME=Other\nSITE_NAME=Acme=1", "Acme=1"),
    ],
)
def test_a_line_of_the_env_file_has_a_value_and_may_have_a_comment(
    production_env, tmp_path, line, value
):
    (tmp_path / "env").write_text(f"{line}\nACCENT_COLOR=#123456 # blue\n", encoding="utf-8")

    read = settings_of(**production_env | {"ENV_FILE": str(tmp_path / "env")})

    assert (value, "#123456") == (read.SITE_NAME, read.ACCENT_COLOR)


@pytest.mark.parametrize("line", ["SITE_NAME = Acme", "SITE_NAME", "x y=z"])
def test_a_line_of_the_env_file_that_is_no_assignment_is_named_and_not_shown(
    production_env, tmp_path, line
):
    """It would be ignored: with `JWT_SIGNING_KEY = key`, SECRET_KEY would sign the tokens."""
    (tmp_path / "env").write_text(f"ACCENT_COLOR=#123456\n\n{line}\n")

    with pytest.raises(
        ImproperlyConfigured, match=r"ENV_FILE names .*/env, whose line 3 is "
    ) as raised:
        settings_of(**production_env | {"ENV_FILE": str(tmp_path / "env")})

    assert line not in str(raised.value)


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY"])
@pytest.mark.parametrize(
    "key", ["example-signing-key-that-is-long-enough-for-everything", "x" * 31]
)
def test_an_example_or_short_key_is_refused(production_env, name, key):
    other = {"JWT_SIGNING_KEY": secrets.token_urlsafe(64)}

    assert problems(**production_env | other | {name: key}) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("DATABASE_URL", "oracle://user:password@host/name"),
        *only_with("postgresql", ("DATABASE_URL", "postgres://user:password@host:port/name")),
        ("NUM_PROXIES", "-1"),
        ("ACCESS_TOKEN_SECONDS", "9" * 20),
        ("CACHE_URL", "locmemcache://"),  # each process would count separately
        ("CACHE_URL", "redis"),
        ("EMAIL_URL", "pigeon://host"),
        ("EMAIL_URL", "smtp://host:port"),
        ("THROTTLE_REFRESH", "20/min"),  # Django REST framework's format
        ("THROTTLE_REFRESH", "2.5/m/ip"),
        ("THROTTLE_REFRESH", "0/m/ip"),
        ("THROTTLE_REFRESH", "5/fortnight"),
        ("ACCOUNT_EMAIL_VERIFICATION", "yes"),
        ("ADMIN_REQUIRES_SECOND_FACTOR", "all"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "app.example.com,*"),
        ("ALLOWED_HOSTS", "https://app.example.com"),
        ("ALLOWED_HOSTS", "app.example.com:8000"),
        ("ALLOWED_HOSTS", "app.example.com www.example.com"),
        ("SECRET_KEY_FALLBACKS", "example-key-that-is-long-enough-for-everything-and-more"),
        ("SITE_ORIGIN", "app.example.com"),
        ("SITE_ORIGIN", "https://app.example.com/"),
        ("ADMIN_URL", ""),
        ("ADMIN_URL", "/back-office/"),
        ("ADMIN_URL", "api/admin/"),
        ("ADMIN_URL", "<path:all>/"),
        ("ROTATION_GRACE_SECONDS", "-1"),
        ("SESSION_SECONDS", "0"),
        ("ACCESS_LOG", "2"),
        *only_with("metrics", ("METRICS_TOKEN", "x"), ("METRICS_TOKEN", "fifteen-letters")),
    ],
)
def test_an_invalid_value_is_refused(production_env, name, value):
    assert problems(**production_env | {name: value}) == [name]


@pytest.mark.parametrize("host", ["app.example.com", ".example.com", "192.0.2.7", "[::1]"])
def test_allowed_hosts_accepts_names_domains_and_addresses(production_env, host):
    origin = {"SITE_ORIGIN": "https://app.example.com"}
    hosts = settings_of(**production_env | origin | {"ALLOWED_HOSTS": host}).ALLOWED_HOSTS

    assert hosts == [host]


@pytest.mark.parametrize(
    ("variables", "origin"),
    [
        ({}, "https://app.example.com"),
        ({"ALLOWED_HOSTS": ".example.com,www.example.com"}, "https://www.example.com"),
        ({"CSRF_TRUSTED_ORIGINS": "https://other.example"}, "https://app.example.com"),
        (
            {"CSRF_TRUSTED_ORIGINS": "https://*.example.com,https://app.example.com:8443"},
            "https://app.example.com:8443",
        ),
        ({"SITE_ORIGIN": "https://my.example.com"}, "https://my.example.com"),
        ({"DEBUG": "True"}, "http://localhost:8000"),
    ],
)
def test_links_in_e_mails_lead_to_the_origin_of_the_site(production_env, variables, origin):
    found = settings_of(**production_env | variables)

    assert origin == found.SITE_ORIGIN


def test_allowed_hosts_without_a_full_name_need_an_origin(production_env):
    assert problems(**production_env | {"ALLOWED_HOSTS": ".example.com"}) == ["SITE_ORIGIN"]


@pytest.mark.parametrize("password", ["pa/ss", "pa?ss", "p:a/s@s"])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        *only_with("postgresql", ("DATABASE_URL", "postgres://user:{}@db.example.com/name")),
        ("CACHE_URL", "redis://:{}@cache.example.com:6379/0"),
        ("EMAIL_URL", "smtp+tls://user:{}@mail.example.com:587"),
    ],
)
def test_an_unencoded_password_in_a_url_is_refused_with_the_encoded_form(
    production_env, name, url, password
):
    sender = {"DEFAULT_FROM_EMAIL": "accounts@example.com"}
    with pytest.raises(
        ImproperlyConfigured,
        match=f"{name} has a special character in its password. Write /.* as %2F",
    ):
        settings_of(**production_env | sender | {name: url.format(password)})

    assert settings_of(**production_env | sender | {name: url.format(quote(password, safe=""))})


def test_database_url_is_required_outside_debug_only(production_env, tmp_path):
    del production_env["DATABASE_URL"]

    assert problems(**production_env) == ["DATABASE_URL"]
    assert (
        settings_of(**production_env, DEBUG="True")
        .DATABASES["default"]["NAME"]
        .endswith("db.sqlite3")
    )
    file = tmp_path / "database"
    file.write_text("sqlite:////srv/named.sqlite3\n", encoding="utf-8")
    named = settings_of(
        **production_env | {"DATABASE_URL": "", "DATABASE_URL_FILE": str(file)}
    ).DATABASES["default"]
    assert named["NAME"] == "/srv/named.sqlite3"


# A product of `make new` has a sender of its own by default.
# A product may have an address of its own domain.
WITHOUT_SENDER = [{}] if product.DEFAULT_FROM_EMAIL.endswith(("@localhost", ".example")) else []


@pytest.mark.parametrize("sender", [*WITHOUT_SENDER, {"DEFAULT_FROM_EMAIL": "webmaster@localhost"}])
def test_an_email_server_needs_a_sender_address(production_env, sender):
    production_env["EMAIL_URL"] = "smtp+tls://user:password@mail.example.com:587"

    assert problems(**production_env, **sender) == ["DEFAULT_FROM_EMAIL"]
    assert settings_of(**production_env, **sender, DEBUG="True")


@pytest.mark.services
@pytest.mark.parametrize("clients", ["billing", "billing:secret", f":{'a' * 64}"])
def test_a_service_needs_a_name_and_a_digest(production_env, clients):
    assert problems(**production_env, INTROSPECTION_CLIENTS=clients) == ["INTROSPECTION_CLIENTS"]


@pytest.mark.services
def test_a_service_may_have_two_secrets(production_env):
    old, new = "a" * 64, "b" * 64
    settings = settings_of(
        **production_env, INTROSPECTION_CLIENTS=f"billing:{old}, billing:{new},shop:{old}"
    )

    clients = settings.TOKEN_BLACKLIST["INTROSPECTION_CLIENTS"]
    assert clients == {"billing": [old, new], "shop": [old]}


def test_refreshes_have_no_rate_limit_by_default_and_all_other_requests_have_one(production_env):
    rates = settings_of(**production_env).ACCOUNT_RATE_LIMITS

    assert [name for name, rate in rates.items() if not rate] == ["refresh"]
    given = settings_of(**production_env, THROTTLE_REFRESH="600/m,5000/12h/ip").ACCOUNT_RATE_LIMITS
    assert given["refresh"] == "600/m,5000/12h/ip"
    assert settings_of(**production_env, RATE_LIMITS="False").ACCOUNT_RATE_LIMITS is False


PROVIDERS = {
    "google": ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"],
    "github": ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"],
    "microsoft": ["MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"],
    "apple": ["APPLE_CLIENT_ID", "APPLE_KEY_ID", "APPLE_TEAM_ID", "APPLE_PRIVATE_KEY"],
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_social_provider_is_enabled_if_all_of_its_variables_are_set(production_env, name):
    given = {variable: f"the {variable}" for variable in PROVIDERS[name]}

    read = settings_of(**production_env, **given)

    installed = [app for app in read.INSTALLED_APPS if "socialaccount.providers" in app]
    assert installed == [f"allauth.socialaccount.providers.{name}"]
    (app,) = read.SOCIALACCOUNT_PROVIDERS[name]["APPS"]
    assert app["client_id"] == given[PROVIDERS[name][0]]
    assert len(read.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]) == 2
    for missing in PROVIDERS[name]:
        assert problems(**production_env, **given | {missing: ""}) == [missing]


@pytest.mark.parametrize(
    ("given", "verification", "verify_by_code"),
    [
        ({}, "mandatory", True),
        ({"DEBUG": "True"}, "optional", False),
        ({"ACCOUNT_EMAIL_VERIFICATION": "none"}, "none", False),
    ],
)
def test_outside_debug_an_email_address_must_be_verified(
    production_env, given, verification, verify_by_code
):
    read = settings_of(**production_env, **given)

    assert verification == read.ACCOUNT_EMAIL_VERIFICATION
    assert verify_by_code is read.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED


def test_email_url_selects_the_mail_server(production_env):
    production_env["EMAIL_URL"] = "smtp+tls://user:password@mail.example.com:587"
    mail = settings_of(**production_env, DEFAULT_FROM_EMAIL="accounts@example.com")

    assert mail.EMAIL_BACKEND == "accounts.outbox.EmailBackend"
    assert mail.EMAIL_DELIVERY_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    assert (mail.EMAIL_HOST, mail.EMAIL_PORT) == ("mail.example.com", 587)
    assert (mail.EMAIL_HOST_USER, mail.EMAIL_HOST_PASSWORD) == ("user", "password")
    assert (mail.EMAIL_USE_TLS, mail.EMAIL_USE_SSL) == (True, False)


def test_a_variable_can_be_given_as_a_file(production_env, tmp_path):
    key = tmp_path / "key"
    key.write_text(production_env["SECRET_KEY"] + "\n", encoding="utf-8")

    read = settings_of(SECRET_KEY_FILE=str(key), **production_env | {"SECRET_KEY": ""}).SECRET_KEY

    assert read == production_env["SECRET_KEY"]


def test_the_error_for_a_missing_variable_file_names_it(production_env, tmp_path):
    signing_key = {"JWT_SIGNING_KEY": secrets.token_urlsafe(64)}
    missing = {"SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "missing")}

    assert problems(**production_env | signing_key | missing) == ["SECRET_KEY_FILE", "SECRET_KEY"]


@pytest.mark.process
def test_the_production_block_of_the_example_passes_the_deployment_check(production_env):
    (block,) = re.findall(
        r"(?m)^# A complete configuration for production:\n((?:# \w+=.*\n)+)", EXAMPLE
    )
    lines = [line.removeprefix("# ").partition("=") for line in block.splitlines()]
    production = {
        name: secrets.token_urlsafe(48) if value.startswith("<") else value
        for name, _, value in lines
    }
    assert set(production) >= {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"}
    production["DATABASE_URL"] = production_env["DATABASE_URL"]

    done = manage("check", "--deploy", "--fail-level", "WARNING", **production)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("variables", "warnings"),
    [
        ({}, 1),
        ({"ACCOUNT_EMAIL_VERIFICATION": "none"}, 0),
        ({"EMAIL_URL": "smtp://mail", "DEFAULT_FROM_EMAIL": "a@example.com"}, 0),
    ],
)
def test_the_deployment_check_warns_of_email_codes_without_a_mail_server(
    production_env, monkeypatch, variables, warnings
):
    monkeypatch.setattr(checks, "settings", settings_of(**production_env | variables))

    assert len(checks.check_verification(None)) == warnings


@pytest.mark.parametrize(("proxies", "warnings"), [("0", 1), ("1", 0)])
def test_the_deployment_check_warns_if_num_proxies_is_0(
    production_env, monkeypatch, proxies, warnings
):
    monkeypatch.setattr(checks, "settings", settings_of(**production_env, NUM_PROXIES=proxies))

    assert len(checks.check_proxy(None)) == warnings


def test_demo_users_are_refused_outside_debug(settings):
    settings.DEBUG = False

    with pytest.raises(CommandError, match="for DEBUG only"):
        call_command("demo")


def test_every_variable_that_the_settings_read_is_in_the_example():
    assert len(VARIABLES) > 10
    assert set(re.findall(r"(?m)^(?:# )?([A-Z][A-Z_]*)=", EXAMPLE)) >= VARIABLES


def test_the_key_set_is_a_file_that_may_not_exist_yet_or_a_variable(production_env, tmp_path):
    production_env = production_env | {"JWT_SIGNING_KEY": ""}
    file = settings_of(**production_env | {"JWT_KEYS_FILE": "keys/jwt.json"}).TOKEN_BLACKLIST
    text = settings_of(**production_env | {"JWT_KEYS": '{"keys": []}'}).TOKEN_BLACKLIST
    neither = settings_of(**production_env).TOKEN_BLACKLIST

    assert (file["KEYS_FILE"], file["KEYS"]) == (str(ROOT / "keys/jwt.json"), None)
    assert (text["KEYS_FILE"], text["KEYS"]) == (None, '{"keys": []}')
    assert (neither["KEYS_FILE"], neither["KEYS"]) == (None, None)


def test_a_key_set_given_twice_or_a_folder_of_keys_is_refused(production_env):
    assert problems(**production_env | {"JWT_KEYS": "{}", "JWT_KEYS_FILE": "keys/jwt.json"}) == [
        "JWT_KEYS"
    ]
    assert problems(**production_env | {"JWT_KEYS_DIR": "keys"}) == ["JWT_KEYS_DIR"]


def test_django_sessions_last_as_long_as_session_lifetime(production_env):
    read = settings_of(**production_env, SESSION_SECONDS="7200", SHORT_SESSION_SECONDS="3600")

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
def test_admin_url_moves_the_admin(database, tmp_path):
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
