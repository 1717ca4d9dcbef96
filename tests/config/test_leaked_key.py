"""The commands of docs/operations.md for a leaked key, run as documented."""

import re
import shlex
import sys

import pytest

from tests.support.checkout import ROOT, run

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.process


def commands():
    section = PAGE.partition("**A key of the key set**")[2]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()


def test_the_documented_commands_revoke_a_leaked_key(tmp_path):
    variables = {
        "ENV_FILE": "",
        "DEBUG": "True",
        "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
        "JWT_KEYS_FILE": str(tmp_path / "keys.json"),
    }

    def manage(line):
        program, *arguments = shlex.split(line)
        assert program == "python"
        done = run(sys.executable, *arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("python manage.py rotatekeys")
    listed, revoke, check = commands()
    (leaked,) = re.findall(r"key (\S+) signs\.", manage(listed))

    manage(revoke.replace("<KID>", leaked))
    manage(check)

    assert leaked not in manage(listed)
    assert " signs." in manage(listed)
