"""The words of the pages' scripts, in the person's language: /words.js."""

from __future__ import annotations

from django.conf import settings
from django.views.i18n import JavaScriptCatalog


class WordsView(JavaScriptCatalog):
    """Gives the scripts' own catalogue, and not those of the admin and of Django."""

    packages = ["project"]

    def get_paths(self, packages: list[str]) -> list[str]:
        return [str(path) for path in settings.LOCALE_PATHS]
