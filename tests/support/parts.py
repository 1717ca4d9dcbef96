"""The parts that a product may remove, as docs/removing.md describes.

A test with the marker of a part is deselected without the part; `only_with` is for its values.
"""

from __future__ import annotations

from typing import TypeVar

from .checkout import ROOT

T = TypeVar("T")
PARTS = {  # each with a file that the part has
    "metrics": "config/monitoring/metrics.py",
    "pages": "accounts/pages.py",
    "postgresql": "config/postgresql/base.py",
    "services": "token_blacklist/services/urls.py",
    "sliding": "accounts/sliding.py",
    "translations": "locale/de/LC_MESSAGES/django.po",
}
REMOVED = {part for part, file in PARTS.items() if not (ROOT / file).exists()}


def only_with(part: str, *values: T) -> tuple[T, ...]:
    """Return the values, or none if the project does not have the part."""
    return values if part not in REMOVED else ()
