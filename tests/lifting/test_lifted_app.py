"""`token_blacklist/`, copied into a bare project: its own tests pass there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ITS_TESTS = [
    "tests/token_blacklist",
    "tests/api/test_cookie_transport.py",
    "tests/api/test_sessions.py",
    "tests/api/test_sliding.py",
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("user", ["django", "uuid"])
def test_the_apps_own_tests_pass_where_only_its_folder_was_copied(tmp_path, user):
    for folder in ("token_blacklist", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--ds=tests.lifted.settings", *ITS_TESTS],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "LIFTED_USER": user},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )

    assert run.returncode == 0, run.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 150


def test_its_migrations_fit_any_user_model(tmp_path):
    for folder in ("token_blacklist", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)

    run = subprocess.run(
        [
            *(sys.executable, "-m", "django", "makemigrations", "token_blacklist"),
            *("--check", "--dry-run", "--settings=tests.lifted.settings"),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert run.returncode == 0, run.stdout + run.stderr
