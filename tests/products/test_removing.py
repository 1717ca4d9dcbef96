"""The steps of docs/removing.md, applied to a product exactly as printed."""

from __future__ import annotations

import os
import re
import shlex
import shutil

import pytest

from tests.support.checkout import ROOT, run
from tests.support.product import new_product
from tests.support.recipes import follow

pytestmark = [pytest.mark.process, pytest.mark.elsewhere, pytest.mark.timeout(1200)]

PAGE = (ROOT / "docs" / "removing.md").read_text(encoding="utf-8")
SECTIONS = {section.partition("\n")[0]: section for section in re.split(r"(?m)^## ", PAGE)[1:]}
TOKENS_ONLY = (ROOT / "docs" / "tokens-only.md").read_text(encoding="utf-8")
PAGES, SQLITE = (
    next(title for title in SECTIONS if title.startswith(f"Without {part}"))
    for part in ("pages", "SQLite")
)
CHECKS = (
    ".venv/bin/python manage.py check --fail-level WARNING",
    ".venv/bin/python manage.py makemigrations --check --dry-run",
    ".venv/bin/python -m ruff check .",
    ".venv/bin/python -m ruff format --check .",
    ".venv/bin/python -m djlint --check --lint --quiet templates",
    ".venv/bin/lint-imports",
)
QUICK = "not (process or browser or slow)"
A_FEW = ("tests/accounts/test_me.py", "tests/config/test_settings.py", "tests/config/test_admin.py")


@pytest.fixture
def product(source, tmp_path):
    return new_product(tmp_path / "product", source)


def remove(product, *titles):
    for title in titles:
        follow(product, SECTIONS[title])
    if PAGES in titles:
        claims = ROOT / "tests/projects/shrunk/api_alone.py"
        shutil.copy(claims, product / "tests" / "test_api_alone.py")


def assert_passes(product, *tests):
    for check in CHECKS:
        done = run(*shlex.split(check), cwd=product, DEBUG="True")
        assert done.returncode == 0, f"{check}\n{done.stdout}{done.stderr}"
    pytest = (".venv/bin/python", "-m", "pytest", "-n2", "--no-header", "-m", QUICK)
    done = run(*pytest, *tests, cwd=product, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:]


# A minute for each part: `make test-long` takes all, and another run the one that changes the most.
@pytest.mark.slow
@pytest.mark.parametrize("title", SECTIONS if "STORIES" in os.environ else [PAGES])
def test_a_product_without_one_part_passes_its_checks(product, title):
    remove(product, title)

    assert_passes(product, *A_FEW, *(["tests/test_api_alone.py"] if title == PAGES else []))


def test_a_product_without_all_of_them_passes_its_checks_and_quick_tests(product):
    remove(product, *(title for title in SECTIONS if title != SQLITE))

    assert_passes(product)
    lint = run("make", "lint", cwd=product, timeout=900)
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_a_product_with_postgresql_alone_refuses_to_deploy_on_sqlite(product, tmp_path):
    remove(product, SQLITE)
    check = shlex.split(".venv/bin/python manage.py check --deploy")

    refused = run(*check, cwd=product, DEBUG="True", DATABASE_URL=f"sqlite:///{tmp_path}/db")
    accepted = run(*check, cwd=product, DEBUG="True", DATABASE_URL="postgres://a:b@127.0.0.1:9/c")

    assert "config.E001" in refused.stderr
    assert refused.returncode == 1
    assert "config.E001" not in accepted.stderr


def test_a_product_with_tokens_only_passes_its_checks(product):
    remove(product, PAGES)
    (product / "tests" / "test_api_alone.py").unlink()  # it signs in to the admin
    follow(product, TOKENS_ONLY)

    assert_passes(product, "tests/accounts/test_me.py", "tests/api/test_accounts.py")
