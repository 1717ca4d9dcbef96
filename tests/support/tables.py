"""Tables in Markdown, and their places in a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def table(heads: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """Return the rows as a table below the heads."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def fill(page: Path, texts: dict[str, str]) -> None:
    """Put each text between the markers of its name in the page.

    Raises:
        ValueError: there is not exactly one place for a text.
    """
    content = page.read_text(encoding="utf-8")
    for name, text in texts.items():
        marked = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        content, places = re.subn(
            marked, lambda m, t=text: f"{m[1]}{t}\n{m[2]}", content, flags=re.DOTALL
        )
        if places != 1:
            raise ValueError(f"{page} has {places} places for {name}")
    page.write_text(content, encoding="utf-8")
