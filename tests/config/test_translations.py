"""Compiled translations: created from the .po files in set-up, and never committed."""

from __future__ import annotations

import gettext
import subprocess

import pytest

from tests.support.checkout import ROOT, copy_into, lend_packages, run

pytestmark = pytest.mark.process


@pytest.fixture
def copy(tmp_path):
    return lend_packages(copy_into(tmp_path / "copy"))


@pytest.fixture
def without_gettext(tmp_path):
    """A PATH on which gettext's programs are not found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "dirname", "cmp"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    return str(folder)


def compile_messages(folder):
    return run(".venv/bin/python", "manage.py", "compilemessages", cwd=folder, DEBUG="True")


def translated(folder, text):
    with (folder / "locale/de/LC_MESSAGES/django.mo").open("rb") as file:
        return gettext.GNUTranslations(file).gettext(text)


def test_git_tracks_no_compiled_translations_and_ignores_them():
    git = ["git", "-c", "safe.directory=*"]
    tracked = subprocess.run(
        [*git, "ls-files", "*.mo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ignored = subprocess.run([*git, "check-ignore", "locale/fr/django.mo"], cwd=ROOT, check=False)

    assert tracked.stdout == ""
    assert ignored.returncode == 0


def test_set_up_compiles_translations_without_gettext(copy, without_gettext):
    assert not list(copy.glob("**/locale/**/*.mo"))

    done = run("sh", "scripts/setup.sh", cwd=copy, PATH=without_gettext)

    assert (done.returncode, done.stderr) == (0, "")
    for source in (*copy.glob("locale/**/*.po"), *copy.glob("*/locale/**/*.po")):
        assert source.with_suffix(".mo").exists()
    assert translated(copy, "Forgot your password?") == "Passwort vergessen?"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('msgid "%(n)s left"\nmsgstr "%(m)s übrig"\n', "unknown named placeholder"),
        ('msgid "left\n', "cannot be compiled"),
    ],
)
def test_an_invalid_file_is_named_and_its_former_translation_stays(copy, line, reason):
    compile_messages(copy)
    source = copy / "locale/de/LC_MESSAGES/django.po"
    before = source.with_suffix(".mo").read_bytes()
    source.write_text(f"{source.read_text()}\n#, python-format\n{line}")

    done = compile_messages(copy)

    assert done.returncode == 1
    assert f"{source} cannot be compiled" in done.stderr
    assert reason in done.stderr
    assert source.with_suffix(".mo").read_bytes() == before
