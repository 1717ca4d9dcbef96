"""`make new`: a new product made from this project."""

from __future__ import annotations

import re
import shutil
import sys

import jwt
import pytest
import yaml

from tests.support.checkout import refusal, run
from tests.support.product import NAME, git, new_product
from tests.support.server import free_port

pytestmark = pytest.mark.process

# The name of the starter. The app itself is called token_blacklist, as are its tables and metrics.
SHOWN = re.compile(r"token[ -]blacklist", re.IGNORECASE)
OURS = {
    "LICENSE",  # requires the notice
    "docs/architecture.md",  # token blacklists in general
    "docs/updating.md",  # names the package
    "tests/config/test_name.py",  # looks for it
}


def python(folder, *arguments, **variables):
    return run(str(folder / ".venv" / "bin" / "python"), *arguments, cwd=folder, **variables)


def shell(folder, code, **variables):
    return python(folder, "manage.py", "shell", "--no-imports", "-c", code, **variables).stdout


def text(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def files(folder):
    return set(git(folder, "-c", "core.quotePath=off", "ls-files").splitlines())


def variables(folder):
    return dict(re.findall(r"(?m)^([A-Z_]+)=(.*)$", text(folder, ".env")))


@pytest.fixture(scope="module")
def ready(made):
    """The product after its set-up, as `make run` begins."""
    assert run("sh", "scripts/setup.sh", cwd=made).returncode == 0
    return made


def test_make_new_prints_the_folder_and_the_next_commands(source, tmp_path):
    shutil.copytree(source, tmp_path / "source")
    (tmp_path / "source" / ".venv").symlink_to(sys.prefix)

    done = run("make", "new", NAME="Acme", DIR="../acme", cwd=tmp_path / "source")

    assert f"Acme is in {tmp_path / 'acme'}" in done.stdout
    assert f"cd {tmp_path / 'acme'}" in done.stdout
    assert "make run" in done.stdout


@pytest.mark.elsewhere
def test_the_product_has_a_history_of_its_own_and_records_its_origin(made, source):
    assert git(made, "log", "--format=%s").splitlines() == [f"Begin {NAME}"]
    assert not git(made, "status", "--short")
    recorded = yaml.safe_load(text(made, ".copier-answers.yml"))
    assert recorded["_commit"] == "v1.0.0"
    assert recorded["_src_path"] == str(source)
    assert recorded["name"] == NAME


@pytest.mark.elsewhere
@pytest.mark.parametrize(
    ("remote", "recorded"),
    [
        ("git@example.com:acme/starter.git", "git@example.com:acme/starter.git"),
        ("https://ada:secret@example.com/starter", "git+https://example.com/starter"),
        ("https://example.com/starter.git", "https://example.com/starter.git"),
    ],
)
def test_the_origin_is_that_of_the_clone_without_a_password(source, tmp_path, remote, recorded):
    shutil.copytree(source, tmp_path / "source")
    git(tmp_path / "source", "remote", "add", "origin", remote)

    made = new_product(tmp_path / "acme", tmp_path / "source")

    assert yaml.safe_load(text(made, ".copier-answers.yml"))["_src_path"] == recorded


@pytest.mark.elsewhere
def test_the_product_has_keys_of_its_own_that_only_the_owner_can_read(ready, source, tmp_path):
    other = new_product(tmp_path / "other", source, NAME="Other")
    assert run("sh", "scripts/setup.sh", cwd=other).returncode == 0

    mine, theirs = ([f / "keys/jwt.json", f / ".env"] for f in (ready, other))
    assert mine[0].read_text() != theirs[0].read_text()
    assert variables(ready)["SECRET_KEY"] != variables(other)["SECRET_KEY"]
    assert len(variables(ready)["SECRET_KEY"]) > 60
    assert {oct(path.stat().st_mode)[-3:] for path in mine} == {"600"}
    assert "keys/" in git(ready, "status", "--short", "--ignored")
    token = shell(ready, "from token_blacklist.keys import encode; print(encode({'exp': 1}))")
    assert jwt.get_unverified_header(token.strip())["alg"] == "EdDSA"


@pytest.mark.elsewhere
def test_name_color_and_sender_are_those_of_the_product(ready):
    show = (
        "from django.conf import settings as s; from django.test import Client;"
        "print(s.SITE_NAME, s.ACCENT_COLOR, s.DEFAULT_FROM_EMAIL);"
        "print(Client(headers={'host': 'localhost'}).get('/').content.decode())"
    )
    for more in ({}, {"ENV_FILE": "", "DEBUG": "True"}):  # and without an .env
        settings, page = shell(ready, show, **more).split("\n", 1)
        assert re.fullmatch(f"{NAME} #[0-9a-f]{{6}} no-reply@acme-sohne-portal.example", settings)
        assert "#3b5bdb" not in settings
        assert "Acme &amp; Söhne Portal" in page
    assert text(ready, "README.md").startswith(f"# {NAME}\n")


@pytest.mark.elsewhere
def test_no_file_names_the_starter_where_the_name_of_the_product_is_shown(made):
    # Not the inside of the app, and not the tests of its promises.
    listed = {
        name
        for name in files(made)
        if not name.startswith(("token_blacklist/", "clients/", "requirements"))
    }
    for name in listed - OURS:
        content = text(made, name) if (made / name).suffix not in {".png", ".ico"} else ""
        for line in content.splitlines():
            assert not SHOWN.search(line), (name, line)
    for name in listed:
        assert not SHOWN.search(name.replace("token_blacklist", "")), name


@pytest.mark.elsewhere
def test_compose_project_and_units_share_nothing_with_another_product(made):
    project = text(made, "docker-compose.yml")

    assert "\nname: acme-sohne-portal\n" in project
    assert re.search(r"IPV6_SUBNET:-fd[0-9a-f]{2}(:[0-9a-f]{4}){2}::/64", project)
    assert "fdc4:7b1e:5a92" not in project
    units = {path.name for path in (made / "deploy" / "systemd").iterdir()}
    assert units == {
        f"acme-sohne-portal{rest}"
        for rest in (".service", "-flush.service", "-flush.timer", "-failed@.service")
    }
    assert "User=acme-sohne-portal\n" in text(made, "deploy/systemd/acme-sohne-portal.service")


@pytest.mark.elsewhere
def test_the_product_has_no_demo_users(ready, tmp_path):
    database = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"

    said = python(ready, "manage.py", "demo", f"--port={free_port()}", DATABASE_URL=database).stdout

    assert "demo" not in said
    assert "manage.py createsuperuser" in said
    count = "from accounts.models import User; print(User.objects.count())"
    assert shell(ready, count, DATABASE_URL=database) == "0\n"
    for name in ("README.md", "docs/api.md"):
        assert "demo@" not in text(ready, name)
    assert '{"email": "you@example.com", "password": "your-password"}' in text(ready, "docs/api.md")


@pytest.mark.elsewhere
def test_what_is_about_this_project_is_left_out_and_keep_all_keeps_it(made, source, tmp_path):
    kept = files(new_product(tmp_path / "all", source, KEEP="all"))

    left_out = kept - files(made)
    folders = {name.split("/")[0] for name in left_out}
    assert {
        *("benchmarks", "clients", "docs", "examples", "scripts", "starter.mk", "tests")
    } == folders
    assert "tests/races/test_pairs.py" in files(made)
    ours = {name for name in files(source) if not name.endswith(".jinja")}
    assert {name.split("/")[0] for name in ours - kept} == {
        *(".ci", ".github", "copier.yml", "deploy", "scripts", "tests")
    }


@pytest.mark.elsewhere
def test_every_link_of_the_documents_leads_to_a_file_of_the_product(made):
    for page in [*made.glob("*.md"), *made.glob("docs/*.md")]:
        for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            there = link.startswith("http") or (page.parent / link).exists()
            assert there, (page.name, link)


@pytest.mark.elsewhere
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"NAME": ""}, "The name must"),
        ({"NAME": 'A "portal"'}, "The name must"),
        ({"ACCENT": "red"}, "The accent must"),
        ({"SENDER": "a@b.example\nBcc: c@d.example"}, "The sender must"),
        ({"ORIGIN": "acme.example"}, "The origin must"),
        ({"KEEP": "some"}, "Invalid choice for 'keep'"),
        ({"DIR": ""}, "DIR must"),
        ({"DIR": "{source}/acme"}, "inside this project"),
        ({"DIR": "/no/such/folder/acme"}, "is not a writable folder"),
        ({"DIR": "{full}"}, "already exists"),
        ({"PATH": "/nowhere"}, "git was not found"),
    ],
)
def test_invalid_arguments_are_refused_with_a_message_and_create_nothing(
    source, tmp_path, given, sentence
):
    full = tmp_path / "full"
    full.mkdir()
    (full / "kept").write_text("mine", encoding="utf-8")
    asked = {"NAME": "Acme", "DIR": str(tmp_path / "acme")} | given
    asked["DIR"] = asked["DIR"].format(full=full, source=source)

    done = run(sys.executable, "scripts/new.py", cwd=source, **asked)

    assert re.search(sentence, refusal(done))
    assert done.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert [path.name for path in full.iterdir()] == ["kept"]
