from __future__ import annotations

import sys
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from django.core.management.commands import compilemessages

from config.translations import sources


class Command(compilemessages.Command):
    help = f"{compilemessages.Command.help} Uses Babel instead of gettext."

    program = sys.executable  # instead of msgfmt, which Django looks for before it begins

    def handle(self, **options: Any) -> None:
        if not sources():  # Django's command would fail
            return
        # The packages in .venv and build come with compiled translations.
        options["ignore_patterns"] = [*options["ignore_patterns"], ".*", "build"]
        self.fuzzy = options["fuzzy"]
        super().handle(**options)

    def compile_messages(
        self, locations: list[tuple[str | PathLike[str], str | PathLike[str]]]
    ) -> None:
        """Compile each `.po` file that is newer than its `.mo` file."""
        for folder, name in locations:
            source = Path(folder, name)
            target = source.with_suffix(".mo")
            if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
                continue
            try:
                target.write_bytes(self._compiled(source))
            except (PoFileError, ValueError, OSError) as error:
                self.stderr.write(f"{source} cannot be compiled: {error}")
                self.has_errors = True
            else:
                if self.verbosity:
                    self.stdout.write(f"Compiled {source}")

    def _compiled(self, source: Path) -> bytes:
        """Return the content of the .mo file.

        Raises:
            ValueError: the placeholders of a translation differ from those of its text.
        """
        with source.open("rb") as file:
            catalog = read_po(file, abort_invalid=True)
        for message, (error, *_others) in catalog.check():
            raise ValueError(f"line {message.lineno}: {error}")
        compiled = BytesIO()
        write_mo(compiled, catalog, use_fuzzy=self.fuzzy)
        return compiled.getvalue()
