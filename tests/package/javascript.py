"""Build the JavaScript client, and run its tests against a running server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.support.server import ROOT, served

CLIENT = ROOT / "clients" / "js"
STEPS = ("ci --loglevel=error", "run build:check", "run types:check", "exec vitest run")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        mails, other = Path(folder) / "mails", Path(folder) / "limited"
        mails.mkdir()
        other.mkdir()
        variables = {
            "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
            "EMAIL_URL": f"filemail:///{mails}",
            "EMAILS_SENT_BY": "web",
        }
        with (
            served(Path(folder), **variables) as site,
            served(other, RATE_LIMITS="True") as limited,
        ):
            env = {**os.environ, "SITE": site, "LIMITED": limited, "MAILS": str(mails)}
            for step in STEPS:
                run("npm", *step.split(), env=env)


def run(*command: str, env: dict[str, str]) -> None:
    print("$", *command, flush=True)
    done = subprocess.run(command, cwd=CLIENT, env=env, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
