"""Pytest's configuration while Simple JWT's own tests run: see `__main__.py`."""

import importlib
import json
from pathlib import Path

# Names that a file of tests imports and that this app does not have. With them the file can be
# imported; the tests that use them fail.
ABSENT = {"utils": ["get_md5_hash_password"], "backends": ["JWK_CLIENT_AVAILABLE"]}

passed: dict[str, bool] = {}


def pytest_sessionstart(session):
    for module, names in ABSENT.items():
        for name in names:
            setattr(importlib.import_module(f"token_blacklist.{module}"), name, True)


def pytest_runtest_logreport(report):
    """Record each test, which fails if one of its subtests or its set-up does."""
    test = report.nodeid.removeprefix("tests/")
    passed[test] = passed.get(test, True) and not report.failed


def pytest_sessionfinish(session):
    Path("found.json").write_text(json.dumps(passed), encoding="utf-8")
