"""The alternatives: their packages, in an environment of their own, and their databases."""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.sites import Server, Site, run_python
from tests.support import venv

from .clients import BUILD, Client

LOCK = Path(__file__).with_name("requirements.txt")


def locked() -> dict[str, str]:
    """Return the version of each package of the lock file."""
    return dict(re.findall(r"(?m)^([\w-]+)==(\S+)", LOCK.read_text(encoding="utf-8")))


def install() -> None:
    """Install the alternatives into an environment of their own, once for each lock file."""
    done = BUILD / "installed-requirements.txt"
    if done.exists() and done.read_bytes() == LOCK.read_bytes():
        return
    venv.create(BUILD / "venv", LOCK)
    done.write_bytes(LOCK.read_bytes())


def prepare(server: Server, kind: type[Client], site: Site, users: int) -> list[str]:
    """Create the site's database and so many users; return their e-mail addresses."""
    server.create(site.database)
    if not kind.ships_migrations:
        run_python(site, server, "-m", "django", "makemigrations", "-v0", "jwt_allauth")
    run_python(site, server, "-m", "django", "migrate", "-v0")
    made = run_python(site, server, "-m", "benchmarks.compare.act", "users", str(users))
    found: list[str] = json.loads(made.strip().rpartition("\n")[2])
    return found
