"""Generate a Python client from both API descriptions, and run the session of docs/api.md with it.

`make clients` calls it. openapi-python-client is installed below build/clients, in the version
locked here; the client is type-checked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.support import venv
from tests.support.server import ROOT, served

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "clients"


def main() -> None:
    # Otherwise the copy is a package, which mypy finds twice.
    programs = shutil.ignore_patterns("__*")
    shutil.copytree(HERE, BUILD, dirs_exist_ok=True, ignore=programs)
    schema = ("--format", "openapi-json", "--file", str(BUILD / "schema.json"))
    run(sys.executable, "manage.py", "spectacular", *schema, cwd=ROOT)
    with tempfile.TemporaryDirectory() as folder:
        mails = Path(folder) / "mails"
        mails.mkdir()
        verify_by_code = {
            "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
            "EMAIL_URL": f"filemail:///{mails}",
            "EMAILS_SENT_BY": "web",
        }
        with served(Path(folder), **verify_by_code) as site:
            with urlopen(f"{site}/_allauth/openapi.json", timeout=30) as described:
                (BUILD / "accounts-schema.json").write_bytes(described.read())
            run_python(site, str(mails))


def run_python(site: str, mails: str) -> None:
    python = venv.create(BUILD / "venv", BUILD / "requirements.txt")
    generate_python("schema.json", "client")
    generate_python("accounts-schema.json", "accounts_client")
    programs = ("transcript.py", "accounts.py", "client", "accounts_client")
    run(python, "-m", "mypy", "--config-file=", "--strict", *programs)
    run(python, "transcript.py", site)
    run(python, "accounts.py", site, mails)
    print("\nopenapi-python-client: type-checked, and the session ran.\n")


def generate_python(schema: str, package: str) -> None:
    generate = ("generate", "--path", schema, "--config", "openapi-python-client.yml")
    output = ("--meta", "none", "--output-path", package, "--overwrite", "--fail-on-warning")
    run(str(BUILD / "venv" / "bin" / "openapi-python-client"), *generate, *output)


def run(*command: str, cwd: Path = BUILD) -> None:
    print("$", *command, flush=True)
    # The generator formats what it writes with the ruff beside it.
    path = os.pathsep.join((str(BUILD / "venv" / "bin"), os.environ["PATH"]))
    done = subprocess.run(command, cwd=cwd, env={**os.environ, "PATH": path}, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
