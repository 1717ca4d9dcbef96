"""The versions of Django and Python that the package names are those that the workflow tests."""

import re
import tomllib

import yaml

from tests.support.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/starter.yml").read_text(encoding="utf-8"))
MATRIX = WORKFLOW["jobs"]["django"]["strategy"]["matrix"]


def classified(prefix):
    found = PROJECT["project"]["classifiers"]
    return [text.removeprefix(prefix) for text in found if re.match(rf"{prefix}\d+\.\d+", text)]


def test_the_workflow_tests_every_version_of_the_classifiers():
    assert classified("Framework :: Django :: ") == MATRIX["django"]
    assert classified("Programming Language :: Python :: ") == MATRIX["python"]


def test_the_package_has_no_upper_bound_and_the_site_stays_on_the_lts():
    lowest = MATRIX["django"][0]
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")

    assert f"Django>={lowest}" in PROJECT["project"]["dependencies"]
    assert PROJECT["project"]["requires-python"] == f">={MATRIX['python'][0]}"
    assert re.search(rf"(?m)^django=={re.escape(lowest)}\.\d+ ", lock)
