"""The parts that a product may remove, as docs/removing.md describes.

A test with the marker of a part is deselected without the part; `only_with` is for its values.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
PARTS = {  # each with a file that the part has
    "metrics": "config/monitoring/metrics.py",
    "pages": "accounts/pages.py",
    "postgresql": "config/postgresql/base.py",
    "services": "token_blacklist/services/urls.py",
    "sliding": "accounts/sliding.py",
    "translations": "locale/de/LC_MESSAGES/django.po",
}
# The app alone, in another project, has all of its parts.
IS_SITE = (ROOT / "accounts").exists()
REMOVED = {part for part, file in PARTS.items() if IS_SITE and not (ROOT / file).exists()}


def only_with(part: str, *values: T) -> tuple[T, ...]:
    """Return the values, or none if the project does not have the part."""
    return values if part not in REMOVED else ()
