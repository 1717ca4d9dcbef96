"""`make new`: a new product made from this project."""

from __future__ import annotations

import re
import subprocess
import sys

import jwt
import pytest

from tests.support.checkout import ROOT, bare_environment, lend_packages, refusal, run

pytestmark = pytest.mark.process

NAME = "Acme & Söhne Portal"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside") / "acme"
    done = run("make", "new", NAME=NAME, DIR=str(folder), SENDER="hello@acme.example")
    assert done.returncode == 0, done.stderr
    assert run("sh", "scripts/setup.sh", cwd=lend_packages(folder)).returncode == 0
    return folder, done.stdout


def python(folder, *arguments, **variables):
    return run(str(folder / ".venv" / "bin" / "python"), *arguments, cwd=folder, **variables)


def text(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def variables(folder, name=".env"):
    return dict(re.findall(r"(?m)^([A-Z_]+)=(.*)$", text(folder, name)))


def git(folder, *command):
    return subprocess.run(
        ["git", "-c", "safe.directory=*", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_make_new_prints_the_folder_and_the_next_commands(made):
    folder, said = made

    assert f"{NAME} is in {folder}" in said
    assert f"cd {folder}" in said
    assert "make run" in said


def test_the_product_has_a_git_history_of_its_own(made):
    folder, _said = made

    assert git(folder, "log", "--format=%s").splitlines() == [f"Begin {NAME}"]
    assert set(git(folder, "ls-files").split()) == set(git(ROOT, "ls-files").split())
    assert ".env" in git(folder, "status", "--short", "--ignored")


def test_the_product_has_keys_of_its_own_that_only_the_owner_can_read(made, tmp_path):
    folder, _said = made
    run(sys.executable, "scripts/new.py", NAME="Other", DIR=str(tmp_path / "other"))

    keys = {name: value for name, value in variables(folder).items() if name.endswith("_KEY")}
    others = variables(tmp_path / "other")
    assert set(keys) == {"SECRET_KEY"}
    assert keys["SECRET_KEY"] != others["SECRET_KEY"]
    assert all(len(key) > 60 for key in keys.values())
    assert variables(folder)["JWT_KEYS_FILE"] == "keys/jwt.json"
    mine, theirs = [f / "keys" / "jwt.json" for f in (folder, tmp_path / "other")]
    assert mine.read_text() != theirs.read_text()
    assert oct(mine.stat().st_mode)[-3:] == "600"
    assert "keys" in git(folder, "status", "--short", "--ignored")
    signs = "from token_blacklist.keys import encode; print(encode({'exp': 1}))"
    token = python(folder, "manage.py", "shell", "--no-imports", "-c", signs).stdout.strip()
    assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
    assert not any(key in git(folder, "grep", "-h", "_KEY=") for key in keys.values())
    assert oct((folder / ".env").stat().st_mode)[-3:] == "600"


def test_name_color_and_sender_are_on_every_page_and_email(made):
    folder, _said = made
    show = (
        "from django.conf import settings as s; from django.test import Client;"
        "print(s.SITE_NAME, s.ACCENT_COLOR, s.DEFAULT_FROM_EMAIL);"
        "print(Client(headers={'host': 'localhost'}).get('/').content.decode())"
    )
    for more in ({}, {"ENV_FILE": "", "DEBUG": "True"}):  # and without an .env
        shown = python(folder, "manage.py", "shell", "--no-imports", "-c", show, **more).stdout
        settings, page = shown.split("\n", 1)
        assert re.fullmatch(f"{NAME} #[0-9a-f]{{6}} hello@acme.example", settings)
        assert "#3b5bdb" not in settings
        assert "Acme &amp; Söhne Portal" in page
    assert text(folder, "README.md").startswith(f"# {NAME}\n")
    assert f"${{SITE_NAME:-{NAME}}}" in text(folder, "deploy/compose.env")


def test_the_products_compose_project_shares_no_volume_or_network(made):
    folder, _said = made
    project = text(folder, "docker-compose.yml")

    assert "\nname: acme-sohne-portal\n" in project
    assert re.search(r"IPV6_SUBNET:-fd[0-9a-f:]+::/64", project)
    assert "fdc4:7b1e:5a92" not in project


def test_the_product_has_no_demo_users(made, tmp_path):
    folder, _said = made
    database = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"

    said = python(folder, "manage.py", "demo", "--port=8765", DATABASE_URL=database).stdout

    assert "demo" not in said
    assert "manage.py createsuperuser" in said
    count = "from accounts.models import User; print(User.objects.count())"
    shell = ("manage.py", "shell", "--no-imports", "-c", count)
    assert python(folder, *shell, DATABASE_URL=database).stdout == "0\n"


def test_the_products_readme_mentions_no_demo_users(made):
    folder, _said = made

    readme = text(folder, "README.md")
    assert "demo" not in readme.lower()
    assert "manage.py createsuperuser" in readme
    assert "make new" not in readme
    assert "## Deploy" in readme
    api = text(folder, "docs/api.md")
    assert "demo@example.com" not in api
    assert '{"email": "you@example.com", "password": "your-password"}' in api


def test_the_quick_tests_pass_in_the_product(made):
    """Run those that depend on a product's name, color, sender and keys."""
    folder, _said = made
    quick = ("-m", "not (process or browser or slow)")
    files = (
        "colors",
        "docs",
        "readme",
        "static",
        "catalogs",
        "api_description",
        "errors",
        "admin",
    )
    tests = (
        *(f"tests/config/test_{name}.py" for name in files),
        *(f"tests/accounts/test_{name}.py" for name in ("emails", "looks")),
    )
    python = folder / ".venv" / "bin" / "python"

    done = subprocess.run(
        [python, "-m", "pytest", "--no-header", *quick, *tests],
        cwd=folder,
        env=bare_environment(),  # not the database of this test
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"[1-9]\d\d passed", done.stdout)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"NAME": ""}, "NAME must"),
        ({"NAME": 'A "portal"'}, "NAME must"),
        ({"NAME": "two\nlines"}, "NAME must"),
        ({"NAME": "x" * 51}, "NAME must"),
        ({"NAME": "C:\\portal"}, "NAME must"),
        ({"ACCENT": "red"}, "ACCENT must"),
        ({"SENDER": "nobody"}, "SENDER must"),
        ({"SENDER": "a@b.example\nBcc: c@d.example"}, "SENDER must"),
        ({"DIR": ""}, "DIR must"),
        ({"DIR": str(ROOT)}, "inside this project"),
        ({"DIR": str(ROOT / "acme")}, "inside this project"),
        ({"DIR": "/no/such/folder/acme"}, "is not a writable folder"),
        ({"DIR": "{full}"}, "already exists"),
        ({"DIR": "{full}/kept"}, "already exists"),
        ({"PATH": "/nowhere"}, "git was not found"),
    ],
)
def test_invalid_arguments_are_refused_with_a_message_and_create_nothing(tmp_path, given, sentence):
    full = tmp_path / "full"
    full.mkdir()
    (full / "kept").write_text("mine", encoding="utf-8")
    asked = {"NAME": "Acme", "DIR": str(tmp_path / "acme")} | given
    asked["DIR"] = asked["DIR"].format(full=full)

    done = run(sys.executable, "scripts/new.py", **asked)

    assert re.search(sentence, refusal(done))
    assert done.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert [path.name for path in full.iterdir()] == ["kept"]
