"""Check whether the translations are compiled. The repository contains only .po files."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

NOT_COMPILED = (
    "The translations are not compiled, so pages and messages may be in English. "
    "Run: manage.py compilemessages, and restart."
)


def sources() -> list[Path]:
    """Return the .po files of the project. A project that is English only has none."""
    folders = [*settings.LOCALE_PATHS, *settings.BASE_DIR.glob("*/locale")]
    return [path for folder in folders for path in folder.glob("*/LC_MESSAGES/*.po")]


def are_compiled() -> bool:
    """Return whether each .po file of the project has an up-to-date .mo file."""
    for source in sources():
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            return False
    return True
