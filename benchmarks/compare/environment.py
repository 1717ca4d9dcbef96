"""The alternatives: their packages, in an environment of their own, and their databases."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.sites import Server, Site, create_database, stock
from tests.support import venv

from .clients import BUILD

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


def prepare(server: Server, site: Site) -> list[str]:
    """Create the site's database and users; return their names, which are e-mail addresses."""
    create_database(site, server)
    found: list[str] = stock(site, server, 0)["users"]
    return found
