"""The recipes of docs/, applied together to a product, which is then updated and stays green.

tests/projects/customized/recipes.py has a test for each claim of the pages.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.support.checkout import ROOT, bare_environment, run
from tests.support.product import commit, git, new_product
from tests.support.recipes import follow

pytestmark = [pytest.mark.process, pytest.mark.elsewhere, pytest.mark.timeout(1800)]

PAGES = ("customizing.md", "pages.md", "accounts.md")
RECIPES = ROOT / "tests/projects/customized/recipes.py"
CLAIMS = re.findall(r"(?m)^def (test_\w+)", RECIPES.read_text(encoding="utf-8"))


SETTINGS = "config/settings.py"
FIX = 'TIME_ZONE = "UTC"  # mended\n'


@pytest.fixture(scope="module")
def product(source, tmp_path_factory):
    """A product that all recipes have changed, and that then took over a fix of the starter."""
    folder = tmp_path_factory.mktemp("customized")
    starter = shutil.copytree(source, folder / "starter")
    product = new_product(folder / "product", starter)
    for page in PAGES:
        follow(product, (product / "docs" / page).read_text(encoding="utf-8"))
    commit(product, "Customize")
    settings = (starter / SETTINGS).read_text(encoding="utf-8")
    (starter / SETTINGS).write_text(settings.replace('TIME_ZONE = "UTC"\n', FIX), encoding="utf-8")
    commit(starter, "Mend it", tag="v1.0.1")
    done = run(sys.executable, "scripts/update.py", cwd=product)
    assert done.returncode == 0, done.stderr
    return product


def test_after_an_update_the_product_has_the_recipes_and_the_fix(product):
    settings = (product / SETTINGS).read_text(encoding="utf-8")

    assert FIX in settings
    assert '    "shop",\n' in settings
    assert git(product, "diff", "--name-only").split() == [".copier-answers.yml", SETTINGS]


def make(folder, target, **variables):
    return subprocess.run(
        ["make", target],
        cwd=folder,
        env=bare_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module")
def checked(product):
    """Return what `make check` did, and which of the claims it found true."""
    shutil.copy(RECIPES, product / "tests" / "test_recipes.py")
    results = product / "build" / "results.xml"
    done = make(product, "check", PYTEST_ADDOPTS=f"--junitxml={results}")
    cases = ElementTree.parse(results).iterfind(".//testcase[@classname='tests.test_recipes']")
    return done, {case.get("name") for case in cases if not list(case)}


def test_make_check_passes_after_all_recipes(checked):
    done, _true = checked

    assert done.returncode == 0, done.stdout[-20_000:]


@pytest.mark.parametrize("claim", CLAIMS)
def test_each_recipe_works_as_documented(checked, claim):
    _done, true = checked

    assert claim in true


def test_make_lint_passes_after_all_recipes(product):
    done = make(product, "lint")

    assert done.returncode == 0, done.stdout
