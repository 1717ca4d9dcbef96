"""Hatchling build hook that compiles the app's translations into its wheel."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for source in Path(self.root, "token_blacklist", "locale").rglob("*.po"):
            target = source.with_suffix(".mo")
            with source.open("rb") as texts, target.open("wb") as compiled:
                write_mo(compiled, read_po(texts, abort_invalid=True))
            # Hatchling would leave it out, because git ignores it.
            build_data["artifacts"].append(target.relative_to(self.root).as_posix())
