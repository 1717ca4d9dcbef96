"""The README, and the shell sessions of docs/api.md, run as documented."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from accounts.models import User
from config.management.commands.demo import USERS
from tests.support.curl import path_with_curl

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def transcript():
    """Return the sessions as (command, expected output) pairs; `…` stands for anything."""
    blocks = "".join(re.findall(r"```console\n(.*?)```", API, re.DOTALL))
    steps = re.split(r"^\$ ", blocks, flags=re.MULTILINE)[1:]
    return [step.split("\n", 1) for step in steps]


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_the_documented_session_prints_what_it_documents(live_server, tmp_path):
    email, password = re.search(r'"email": "(\S+)", "password": "(\S+)"', API).groups()
    User.objects.create_user(email, password, **USERS.get(email, {}))
    steps = transcript()
    mark = "--- next ---"
    script = "\n".join(f"{command}; echo; echo '{mark}'" for command, _ in steps)

    run = subprocess.run(
        ["sh", "-eu", "-c", script.replace("http://localhost:8000", live_server.url)],
        env={**os.environ, "PATH": path_with_curl(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    outputs = run.stdout.split(mark)[:-1]
    assert len(outputs) == len(steps) > 10
    for (command, expected), output in zip(steps, outputs, strict=True):
        pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
        assert re.fullmatch(pattern, output.strip()), (command, output)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120
