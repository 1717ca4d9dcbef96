"""The steps of a page of docs/, applied to a copy of the project as they are printed."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from .checkout import run

# A command, or the name of a file, what is done to it, and its new lines.
STEP = re.compile(
    r"(?ms)^```sh\n(?P<commands>.*?)^```$"
    r"|(?:^`(?P<file>[\w./-]+)`(?P<how>|, a new file|, at its end):\n\n)?"
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```$"
)


def follow(folder: Path, text: str) -> None:
    """Apply the steps of the text, in order, to the copy of the project in the folder."""
    name = ""
    for step in STEP.finditer(text):
        if step["commands"]:
            for command in step["commands"].replace("\\\n", "").splitlines():
                done = run(*shlex.split(possible(command)), cwd=folder, DEBUG="True")
                assert done.returncode == 0, done.stdout + done.stderr
            continue
        name = step["file"] or name
        assert name, step[0]
        path, how = folder / name, step["how"]
        if how == ", a new file":
            assert not path.exists(), name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["code"], encoding="utf-8")
        else:
            before = path.read_text(encoding="utf-8")
            after = (
                f"{before.rstrip()}\n\n{step['code']}"
                if how
                else patched(before, step["code"], name)
            )
            path.write_text(after, encoding="utf-8")


def possible(command: str) -> str:
    """Return the command, or without gettext only the part of it that does not need gettext."""
    if command == "make translations" and not shutil.which("msgfmt"):
        return ".venv/bin/python manage.py compilemessages"
    return command


def patched(text: str, diff: str, name: str) -> str:
    """Return the text with the places changed that the diff shows. @@ is between two places."""
    for place in diff.split("@@\n"):
        lines = place.splitlines(keepends=True)
        old, new = (
            "".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +")
        )
        assert text.count(old) == 1, f"{name} has this {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    return text
