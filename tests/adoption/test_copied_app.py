"""`token_blacklist/` copied into another project: its tests pass there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

ROOT = Path(__file__).parents[2]
THE_API = [
    "tests/api/test_cookie_transport.py",
    "tests/api/test_sessions.py",
    "tests/api/test_sliding.py",
]


@pytest.fixture
def project(tmp_path):
    """A folder with the app and the tests, and nothing else of this project."""
    for folder in ("token_blacklist", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(project, *command, user="django", **variables):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(project), "USER_MODEL": user}
        | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("user", "tests", "least"),
    [
        # All tests run with the user model with the UUID.
        ("uuid", ["tests/token_blacklist", *THE_API], 300),
        ("django", THE_API, 30),
    ],
)
def test_the_apps_tests_pass_in_a_project_with_only_its_folder_copied(project, user, tests, least):
    pytest_ = ("pytest", "--ds=tests.projects.copied.settings", "-m", "not process")

    done = run(project, *pytest_, *tests, user=user)

    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= least


def without_services(project):
    shutil.rmtree(project / "token_blacklist" / "services")
    urls = project / "token_blacklist" / "urls.py"
    lines = urls.read_text().splitlines(keepends=True)
    urls.write_text("".join(line for line in lines if "services" not in line))


def without_admin(project):
    shutil.rmtree(project / "token_blacklist" / "admin")


@pytest.mark.parametrize(
    ("delete", "their_tests"),
    [
        (without_services, "tests/token_blacklist/services"),
        (without_admin, "tests/token_blacklist/test_admin.py"),
    ],
)
def test_services_or_admin_can_be_deleted_and_the_other_tests_pass(project, delete, their_tests):
    delete(project)
    name = delete.__name__.removeprefix("without_")
    pytest_ = ("pytest", "--ds=tests.projects.copied.settings", f"--ignore={their_tests}")
    markers = ("-m", f"not process and not {name}")

    check = run(project, "django", "check", "--settings=tests.projects.copied.settings")
    done = run(project, *pytest_, *markers, "tests/token_blacklist", *THE_API)

    assert check.returncode == 0, check.stderr
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 300


def test_a_copied_apps_texts_are_english_until_compiled_as_documented(project):
    for path in project.glob("token_blacklist/locale/**/*.mo"):
        path.unlink()
    says = (
        "from django.utils.translation import gettext as _, override\n"
        "with override('de'): print(_('Token is blacklisted'))"
    )
    shell = ("django", "shell", "--no-imports", "--settings=tests.projects.copied.settings", "-c")
    (pybabel,) = re.findall(r"(?m)^ *pybabel (.*)$", (ROOT / "docs/lifting.md").read_text())

    before = run(project, *shell, says)
    compiled = run(project, "babel.messages.frontend", *pybabel.split())
    after = run(project, *shell, says)

    assert before.stdout == "Token is blacklisted\n"
    assert compiled.returncode == 0, compiled.stderr
    assert after.stdout == "Das Token ist gesperrt\n"


def test_the_api_is_described_with_the_username_field_of_the_user_model(project):
    command = ("spectacular", "--format=openapi-json", "--settings=tests.projects.copied.settings")

    done = run(project, "django", *command, DESCRIBED="yes")

    schemas = json.loads(done.stdout)["components"]["schemas"]
    fields = schemas["TokenObtainPair"]["properties"]
    assert set(fields) == {"username", "password", "transport", "remember", "access", "refresh"}


def test_the_migrations_fit_any_user_model(project):
    check = ("makemigrations", "token_blacklist", "--check", "--dry-run")

    done = run(project, "django", *check, "--settings=tests.projects.copied.settings")

    assert done.returncode == 0, done.stdout + done.stderr
