"""Typical code around Simple JWT behaves the same with this app once the names are replaced."""

import subprocess
import sys

import pytest

from tests.support.adoption import renamed
from tests.support.checkout import ROOT, bare_environment

SITES = ROOT / "tests" / "projects" / "adoption" / "sites"

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]


@pytest.mark.parametrize("package", ["Simple JWT", "this app"])
@pytest.mark.parametrize("site", ["cookies", "rest_auth", "two_services"])
def test_a_site_behaves_the_same_with_either_package(tmp_path, site, package):
    code = (SITES / f"{site}.py").read_text(encoding="utf-8")
    program = tmp_path / f"{site}.py"
    program.write_text(code if package == "Simple JWT" else renamed(code), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program)],
        env=bare_environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
