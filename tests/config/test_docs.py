"""The documents name tests, and the tests are there."""

import re

from .checkout import ROOT

TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))


def test_every_test_that_a_document_names_exists():
    named = 0
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"`(test_\w+)`", text):
            assert f"def {name}(" in TESTS, f"{path.name}: {name}"
            named += 1
        for name in re.findall(r"`(tests/[\w/.]+)`", text):
            assert (ROOT / name).exists(), f"{path.name}: {name}"
    assert named > 50
