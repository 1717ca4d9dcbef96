"""`make update`: a product that was changed takes over a later version of the starter."""

from __future__ import annotations

import re
import shutil
import sys

import pytest
import yaml

from tests.support.checkout import ROOT, refusal, run
from tests.support.product import begin, commit, git, new_product

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

KEPT = re.compile(
    r"copier\.|\[=|\.gitignore|requirements|pyproject|scripts/(new|update)|config/|docker-compose|deploy/fly"
)
SETTINGS = "config/settings.py"
OURS = 'LANGUAGES = [("en", "English"), ("fr", "Français")]\n'
THEIRS = 'LANGUAGES = [("en", "English"), ("it", "Italiano")]\n'


def read(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def replace_line(folder, name, start, new):
    """Replace the one line that starts so."""
    lines = read(folder, name).splitlines(keepends=True)
    (index,) = [number for number, line in enumerate(lines) if line.startswith(start)]
    lines[index] = new
    (folder / name).write_text("".join(lines), encoding="utf-8")


def update(product, **variables):
    return run(sys.executable, "scripts/update.py", cwd=product, **variables)


def version(product):
    return yaml.safe_load(read(product, ".copier-answers.yml"))["_commit"]


@pytest.fixture(scope="module")
def begun(source, tmp_path_factory):
    """A folder with the starter and a product of it, changed as a developer does.

    The starter has a few of its files, because each update renders all of them three times.
    test_recipes.py updates a whole product.
    """
    folder = tmp_path_factory.mktemp("begun")
    starter = folder / "starter"
    for name in git(source, "-c", "core.quotePath=off", "ls-files").splitlines():
        if KEPT.match(name):
            (starter / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, starter / name)
    product = new_product(folder / "acme", begin(starter))
    replace_line(product, ".copier-answers.yml", "_src_path:", "_src_path: ../starter\n")
    (product / "shop").mkdir()
    (product / "shop" / "models.py").write_text('"""The shop."""\n', encoding="utf-8")
    replace_line(product, SETTINGS, "LANGUAGE_CODE =", 'LANGUAGE_CODE = "fr"\n')
    (product / "deploy" / "fly.toml").unlink()
    commit(product, "Begin the shop")
    return folder


@pytest.fixture
def product(begun, tmp_path):
    return shutil.copytree(begun, tmp_path / "copy", symlinks=True) / "acme"


@pytest.fixture
def starter(product):
    return product.parent / "starter"


def publish(starter, tag="v1.0.1"):
    commit(starter, "Mend it", tag)


def test_a_changed_product_has_its_changes_and_the_fix(starter, product):
    replace_line(starter, SETTINGS, "TIME_ZONE =", 'TIME_ZONE = "UTC"  # mended\n')
    (starter / "config" / "mended.py").write_text('"""New."""\n', encoding="utf-8")
    replace_line(starter, "docker-compose.yml", "name: ", "name: token-blacklist # mended\n")
    replace_line(starter, "deploy/fly.toml", "app = ", 'app = "token-blacklist" # mended\n')
    publish(starter)

    done = update(product)

    assert done.returncode == 0, done.stderr
    assert "Look at the changes" in done.stdout
    assert version(product) == "v1.0.1"
    settings = read(product, SETTINGS)
    assert 'TIME_ZONE = "UTC"  # mended\n' in settings
    assert 'LANGUAGE_CODE = "fr"\n' in settings
    assert (product / "config" / "mended.py").exists()
    assert (product / "shop" / "models.py").exists()
    assert "name: acme-sohne-portal # mended\n" in read(product, "docker-compose.yml")
    assert not (product / "deploy" / "fly.toml").exists()
    changed = {line[3:] for line in git(product, "status", "--short").splitlines()}
    assert changed == {*(SETTINGS, "config/mended.py", "docker-compose.yml", ".copier-answers.yml")}


def test_a_conflict_is_shown_as_a_conflict(starter, product):
    replace_line(product, SETTINGS, "LANGUAGES =", OURS)
    commit(product, "Speak French")
    replace_line(starter, SETTINGS, "LANGUAGES =", THEIRS)
    publish(starter)

    done = update(product)

    assert done.returncode == 1
    assert "You and the starter changed the same lines" in done.stderr
    assert done.stderr.splitlines()[-1] == SETTINGS
    ours, theirs = f'LANGUAGE_CODE = "fr"\n{OURS}', f'LANGUAGE_CODE = "en"\n{THEIRS}'
    conflict = f"<<<<<<< before updating\n{ours}=======\n{theirs}>>>>>>> after updating\n"
    assert conflict in re.sub(" +#.*", "", read(product, SETTINGS))
    assert git(product, "diff", "--name-only", "--diff-filter=U").split() == [SETTINGS]


def test_an_update_can_be_undone_as_the_page_says(starter, product):
    replace_line(product, SETTINGS, "LANGUAGES =", OURS)
    commit(product, "Speak French")
    replace_line(starter, SETTINGS, "LANGUAGES =", THEIRS)
    (starter / "config" / "mended.py").write_text('"""New."""\n', encoding="utf-8")
    publish(starter)
    assert update(product).returncode == 1
    (undo,) = [line for line in read(ROOT, "docs/updating.md").split("`") if "git clean" in line]

    done = run(
        "sh", "-ec", undo.replace("\n", " ").replace("--interactive", "--force"), cwd=product
    )

    assert done.returncode == 0, done.stderr
    assert git(product, "status", "--short") == ""
    assert OURS in read(product, SETTINGS)


def test_changes_that_are_not_committed_are_not_touched(starter, product):
    replace_line(product, SETTINGS, "LANGUAGES =", OURS)
    publish_fix = 'TIME_ZONE = "UTC"  # mended\n'
    replace_line(starter, SETTINGS, "TIME_ZONE =", publish_fix)
    publish(starter)

    done = update(product)

    assert done.returncode == 1
    assert "commit or stash" in refusal(done)
    assert OURS in read(product, SETTINGS)
    assert publish_fix not in read(product, SETTINGS)


def test_without_a_later_version_nothing_changes(product):
    done = update(product)

    assert done.stdout.splitlines()[-1] == "It has the newest version."
    assert git(product, "status", "--short") == ""


def test_a_version_that_is_not_there_is_refused_with_a_message(product):
    done = update(product, VERSION="v9")

    assert done.returncode == 1
    assert "v9" in refusal(done)
    assert git(product, "status", "--short") == ""


def test_the_starter_itself_is_no_product(source):
    assert "only a product made with Copier" in refusal(update(source))
