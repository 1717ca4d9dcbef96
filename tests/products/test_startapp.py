"""`manage.py startapp`: the new app passes the linters and works unchanged."""

from __future__ import annotations

import pytest

from tests.support.checkout import copy_into, lend_packages, run

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]


@pytest.fixture
def project(tmp_path):
    folder = lend_packages(copy_into(tmp_path / "copy"))
    done = python(folder, "manage.py", "startapp", "web_shop")
    assert done.returncode == 0, done.stderr
    return folder


def python(folder, *command):
    return run(".venv/bin/python", *command, cwd=folder, DEBUG="True")


# Of `make lint`, what looks at the files of an app.
@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy", "--config-file=", "--strict", "web_shop"),
    ],
    ids=" ".join,
)
def test_a_new_app_passes_the_linters(project, command):
    done = python(project, "-m", *command)

    assert done.returncode == 0, done.stdout


def test_a_new_app_can_be_installed_and_its_urls_included_unchanged(project):
    for name, line, new in (
        ("settings", '    "accounts",\n', '    "web_shop",\n'),
        (
            "urls",
            '    path("api/", include("accounts.urls")),\n',
            '    path("api/", include("web_shop.urls")),\n',
        ),
    ):
        path = project / "config" / f"{name}.py"
        path.write_text(path.read_text().replace(line, line + new))

    for command in (["check", "--fail-level", "WARNING"], ["makemigrations", "--check"]):
        done = python(project, "manage.py", *command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert '"web_shop"' in (project / "config/settings.py").read_text()
