"""The settings, commands, addresses and files in the documents exist."""

import re
from datetime import timedelta

import pytest
from django.core.management import get_commands
from rest_framework.exceptions import APIException

from accounts.sign_in import REFUSALS
from accounts.verified import is_verified
from tests.support.checkout import ROOT, VARIABLES
from tests.support.factories import UserFactory
from token_blacklist.conf import OPTIONS
from token_blacklist.schema import every_code

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
MAKEFILE = "".join((ROOT / name).read_text("utf-8") for name in ("Makefile", "starter.mk"))
# What other files than the settings read.
ELSEWHERE = {
    "HOST": "config/gunicorn.conf.py",
    "PORT": "config/gunicorn.conf.py",
    "WEB_CONCURRENCY": "config/gunicorn.conf.py",
    "APP_HOME": "crontab",
    "MAILTO": "crontab",
    "PGDATABASE": "docker-compose.yml",
    "NAME": "starter.mk",
    "ACCENT": "starter.mk",
    "SENDER": "starter.mk",
    "ORIGIN": "starter.mk",
    "KEEP": "starter.mk",
    "SITE_ADDRESS": "docker-compose.yml",
    "WEB_MEMORY": "docker-compose.yml",
    "POSTGRES_MEMORY": "docker-compose.yml",
    "IPV6_SUBNET": "docker-compose.yml",
    "JWT_KEYS_DIR": "config/settings.py",  # of the former version
    "KEYS_DIR": "token_blacklist/checks.py",
}


def read(path):
    return path.read_text(encoding="utf-8")


def anchors(text):
    """Return the anchors that a page's headings get."""
    headings = re.findall(r"(?m)^#+ (.*)$", re.sub(r"(?s)```.*?```", "", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
class TestPage:
    def test_names_files_that_exist(self, page):
        text = re.sub(r"(?m)^`[\w/.]+`, a new file:$", "", read(page))
        for name in re.findall(
            r"`((?:tests|accounts|config|token_blacklist|static)/[\w/.]+)`", text
        ):
            assert (ROOT / name).exists(), name

    def test_links_to_files_and_headings_that_exist(self, page):
        for link in re.findall(r"\]\(([^)\s]+)\)", read(page)):
            if link.startswith(("http", "../../actions/")):  # of GitHub
                continue
            name, _hash, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(read(target)), link

    def test_names_commands_that_exist(self, page):
        for name in re.findall(r"manage\.py ([a-z]\w+)", read(page)):
            assert name in get_commands(), name
        for name in re.findall(r"`make ([a-z-]+)", read(page)) + re.findall(
            r"(?m)^make ([a-z-]+)", read(page)
        ):
            assert re.search(rf"(?m)^{name}:", MAKEFILE), name

    def test_names_addresses_that_exist(self, page, client, db):
        named = set(re.findall(r"`(/(?:[\w-]+/)*(?:metrics)?)`", read(page)))
        for path in named - {"/app", "/states/"}:  # the last is there in DEBUG
            assert client.get(path).status_code != 404 or path == "/metrics", path

    def test_names_variables_that_are_read(self, page):
        known = VARIABLES | set(OPTIONS) | {f"{name}_FILE" for name in VARIABLES}
        for name in re.findall(r"`([A-Z][A-Z_]{3,})(?:=[^`]*)?`", read(page)):
            there = name in known or name in ELSEWHERE or name in PYTHON
            assert there, name
        for name, place in ELSEWHERE.items():
            assert name in read(ROOT / place)


PYTHON = {  # settings of Django and DRF, and other words in capitals
    "ACCOUNT_RATE_LIMITS",  # of allauth
    "ATOMIC_REQUESTS",
    "AUTH_PASSWORD_VALIDATORS",
    "BEGIN",
    "CONTENT_SECURITY_POLICY",
    "DEFAULT_THROTTLE_RATES",
    "CSP_BY_PATH",
    "INSTALLED_APPS",
    "CONCURRENTLY",
    "DATA_UPLOAD_MAX_MEMORY_SIZE",
    "DEBUG",
    "DEFAULT_SCHEMA_CLASS",
    "HEADLESS_FRONTEND_URLS",  # of allauth
    "DELETE",
    "INSERT",
    "LANGUAGES",
    "PASSWORD_HASHERS",
    "REST_FRAMEWORK",
    "SELECT",
    "SESSION_COOKIE_AGE",
    "SESSION_EXPIRE_AT_BROWSER_CLOSE",
    "SIMPLE_JWT",
    "TOKEN_BLACKLIST",
    "UPDATE",
    "VACUUM",
    "LOCALES",  # of the Makefile
}


# DRF's that no endpoint answers: a field's own, and those that a more exact one replaces.
NO_ANSWERS = {"invalid", "error", "authentication_failed", "not_acceptable"}
A_CODE = re.compile(
    r'code="([a-z_]+)"|code = "([a-z_]+)"|"code": "([a-z_]+)"|HTTPStatus\.\w+, "([a-z_]+)"'
)


def codes_in_the_source():
    """Return the codes that the API's own modules and DRF's exceptions name."""
    files = [ROOT / "config" / "errors.py"]
    for app in ("accounts", "token_blacklist"):
        files += (ROOT / app).rglob("*.py")
    ours = {code for file in files for found in A_CODE.findall(read(file)) for code in found}
    drf = {error.default_code for error in APIException.__subclasses__()}
    return (ours - {""}) | (drf - NO_ANSWERS) | set(REFUSALS)


# Of requests that no operation describes, or that fail in it.
UNDESCRIBED = {"bad_request", "error", "method_not_allowed"}


def documented_codes():
    """Return the codes in the table of docs/api.md, each of which has one row."""
    section = read(ROOT / "docs" / "api.md").partition("## Errors")[2].partition("\n## ")[0]
    cells = re.findall(r"(?m)^\| (\d{3}[^|]*) \|", section)
    return [code for cell in cells for code in re.findall("`([a-z_]+)`", cell)]


def test_every_error_code_has_one_row_in_the_table_of_responses():
    assert sorted(documented_codes()) == sorted(codes_in_the_source())


def test_the_table_of_responses_has_the_codes_of_the_openapi_description():
    assert set(documented_codes()) - UNDESCRIBED == set(every_code())


@pytest.mark.parametrize(
    "code", re.findall(r'(?s)manage.py shell -c "\n(.*?)"\n', read(ROOT / "CHANGELOG.md"))
)
def test_the_changelog_explains_how_existing_users_get_a_verified_address(db, code):
    users = UserFactory.create_batch(2)

    for _ in range(2):  # it can be repeated
        exec(code, {})

    assert all(is_verified(user) for user in users)


def test_every_option_is_documented_with_its_default():
    page = read(ROOT / "docs" / "settings.md")
    rows = re.findall(r"(?m)^\| `([A-Z_]+)` \| `(.+?)` \| (.*) \|$", page)

    documented = {
        name: (eval(default, {"timedelta": timedelta}), meaning) for name, default, meaning in rows
    }
    assert documented == {
        name: (option.default, option.meaning) for name, option in OPTIONS.items()
    }


def test_the_layout_in_architecture_lists_exactly_the_existing_modules():
    """The tables and the drawing of a request name the files that there are."""
    page = read(ROOT / "docs" / "architecture.md").partition("## Layout")[2].partition("\n## ")[0]
    app = page.partition("`token_blacklist/`, in")[2].partition("`accounts/`:")[0]
    named = set(
        re.findall(r"\b(\w+\.py|keys/|sessions/|services/|admin/|management/|rest_auth/)", app)
    )
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / "token_blacklist").iterdir()
    }
    for room in ("keys", "sessions"):
        there |= {path.name for path in (ROOT / "token_blacklist" / room).glob("*.py")}

    assert named == there - {
        "__init__.py",
        "__pycache__/",
        "apps.py",
        "py.typed",
        "locale/",
        "migrations/",
        "static/",
        "templates/",
    }
