"""The contents and requirements of the wheel."""

import email
import re
import subprocess
import sys
import zipfile

import pytest

from tests.support.checkout import ROOT, bare_environment, copy_into

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source = copy_into(tmp_path_factory.mktemp("source") / "checkout")
    for compiled in source.rglob("*.mo"):
        compiled.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=source,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (source / "dist").iterdir()
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_has_every_file_of_the_app_and_the_compiled_translations(wheel):
    app = ROOT / "token_blacklist"
    files = {path.relative_to(ROOT).as_posix() for path in app.rglob("*") if path.is_file()}
    files = {name for name in files if not name.endswith((".pyc", ".mo"))}
    compiled = {f"{name.removesuffix('.po')}.mo" for name in files if name.endswith(".po")}

    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert len(compiled) == 2
    assert packed == files | compiled
    assert "token_blacklist/py.typed" in packed


def test_the_wheel_requires_django_drf_and_pyjwt_only(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = email.message_from_bytes(wheel.read(name))

    required, optional = set(), {}
    for line in metadata.get_all("Requires-Dist"):
        package = re.match(r"[\w-]+", line)[0]
        if extra := re.search(r"extra == '(\w+)'", line):
            optional[extra[1]] = package
        else:
            required.add(package.lower())

    assert required == {"django", "djangorestframework", "pyjwt"}
    assert optional == {
        "crypto": "cryptography",
        "spectacular": "drf-spectacular",
        "unfold": "django-unfold",
    }
    assert "INSTALLED_APPS" in metadata.get_payload()
