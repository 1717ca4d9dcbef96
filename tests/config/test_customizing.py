"""The steps of docs/customizing.md and docs/accounts.md, applied to a copy of the project.

tests/projects/customized/recipes.py has a test for each claim of the pages.
"""

from __future__ import annotations

import re
import shlex

import pytest

from tests.support.checkout import ROOT, copy_into, lend_packages, run

pytestmark = pytest.mark.process

PAGES = "".join(
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("customizing.md", "accounts.md")
)
# A command, or the name of a file, what is done to it, and its new lines.
STEP = re.compile(
    r"(?ms)^```sh\n(?P<commands>.*?)^```$"
    r"|(?:^`(?P<file>[\w./-]+)`(?P<how>|, a new file|, at its end):\n\n)?"
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```$"
)
RECIPES = "tests/projects/customized/recipes.py"
CLAIMS = re.findall(r"(?m)^def (test_\w+)", (ROOT / RECIPES).read_text(encoding="utf-8"))


def follow(folder):
    """Apply the steps of the pages, in order, to a copy of the project."""
    name = ""
    for step in STEP.finditer(PAGES):
        if step["commands"]:
            for command in step["commands"].splitlines():
                done = run(*shlex.split(command), cwd=folder, DEBUG="True")
                assert done.returncode == 0, done.stdout + done.stderr
            continue
        name = step["file"] or name
        path, how = folder / name, step["how"]
        if how == ", a new file":
            assert not path.exists(), name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["code"], encoding="utf-8")
        else:
            before = path.read_text(encoding="utf-8")
            after = (
                f"{before.rstrip()}\n\n{step['code']}"
                if how
                else patched(before, step["code"], name)
            )
            path.write_text(after, encoding="utf-8")


def patched(text, diff, name):
    """Return the text with the one place changed that the diff shows."""
    lines = diff.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
    assert text.count(old) == 1, f"{name} has this {text.count(old)} times:\n{old}"
    return text.replace(old, new)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = lend_packages(copy_into(tmp_path_factory.mktemp("customized") / "copy"))
    follow(folder)
    return folder


@pytest.fixture(scope="module")
def passed(project):
    """Return the tests of the recipes that pass in the customized project."""
    done = run(
        *(".venv/bin/python", "-m", "pytest", "-rA", "--no-header", "-p", "no:cacheprovider"),
        RECIPES,
        cwd=project,
    )
    print(done.stdout[-6000:])
    return re.findall(rf"(?m)^PASSED {re.escape(RECIPES)}::(\w+)", done.stdout)


@pytest.mark.parametrize("claim", CLAIMS)
def test_each_recipe_of_the_page_works_as_documented(passed, claim):
    assert claim in passed


@pytest.mark.parametrize(
    "command",
    [
        "manage.py makemigrations --check",
        "-m ruff check .",
        "-m ruff format --check --exclude migrations .",
    ],
)
def test_the_customized_project_passes_the_checks(project, command):
    done = run(".venv/bin/python", *shlex.split(command), cwd=project, DEBUG="True")

    assert done.returncode == 0, done.stdout + done.stderr
