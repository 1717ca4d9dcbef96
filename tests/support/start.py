"""Start the project with only the variables of a test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any
from unittest import mock

import pytest
from django.conf import Settings
from django.core.exceptions import ImproperlyConfigured

from .checkout import bare_environment, run


def settings_of(**variables: str) -> Any:
    """Load config/settings.py again in this process, as Django does."""
    environment = bare_environment(**{"ENV_FILE": ""} | variables)
    with mock.patch.dict(os.environ, environment, clear=True), mock.patch.dict(sys.modules):
        sys.modules.pop("config.settings", None)
        return Settings("config.settings")


def problems(**variables: str) -> list[str]:
    """Return the variables that prevent the start."""
    with pytest.raises(ImproperlyConfigured) as refusal:
        settings_of(**variables)
    first, *named = str(refusal.value).splitlines()
    assert first == "Invalid settings:"
    assert all(
        re.fullmatch(r"- [A-Z_]+ (is|has|must|needs|allows|names) .+", line) for line in named
    ), named
    return [line.split()[1] for line in named]


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py in a process of its own."""
    return run(sys.executable, "manage.py", *arguments, ENV_FILE="", **variables)
