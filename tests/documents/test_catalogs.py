"""The catalogs are complete. A product, which adds texts and languages, need not be."""

from __future__ import annotations

import io
import re
from pathlib import Path

import allauth
import pytest
from babel.messages.extract import extract_javascript, extract_python
from django.utils.translation.template import templatize

from tests.config.test_catalogs import CATALOGS as WITH_ENGLISH
from tests.config.test_catalogs import catalog
from tests.support.checkout import ROOT

ENGLISH = ROOT / "locale/en/LC_MESSAGES/django.po"  # other words for some texts of allauth
CATALOGS = [path for path in WITH_ENGLISH if path != ENGLISH]
KEYWORDS = dict.fromkeys(
    (
        *("gettext", "gettext_lazy", "gettext_noop", "_"),
        *("ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"),
    )
)


def files(*patterns):
    for pattern in patterns:
        yield from (path for path in ROOT.glob(pattern) if ".venv" not in path.parts)


def words_of(found):
    """Return the texts of what Babel extracted, without contexts: one, or singular and plural."""
    for _line, function, texts, _comments in found:
        if texts is None:  # not a literal
            continue
        if function.startswith("pgettext"):
            yield texts[1]
        else:
            yield texts[:2] if isinstance(texts, tuple) else texts


def words_in_python(paths):
    for path in paths:
        yield from words_of(extract_python(io.BytesIO(path.read_bytes()), KEYWORDS, [], {}))


def words_in_templates(paths):
    for path in paths:
        # As in makemessages: each text becomes a call of gettext or `_`, and the rest is blanked.
        blanked = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        calls = re.findall(
            r"(?:[np]?gettext|\b_)\((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"),?\s*)+", blanked
        )
        source = "\n".join(f"{call})" for call in calls)
        yield from words_of(extract_python(io.BytesIO(source.encode()), KEYWORDS, [], {}))


def words_in_scripts(paths):
    for path in paths:
        yield from words_of(
            extract_javascript(io.BytesIO(path.read_bytes()), dict.fromkeys(KEYWORDS), [], {})
        )


TEXTS = {
    "locale/django": lambda: {
        *words_in_python(files("accounts/**/*.py", "config/**/*.py")),
        *words_in_templates(files("templates/**/*.html", "templates/**/*.txt")),
    },
    "locale/djangojs": lambda: {*words_in_scripts(files("static/js/*.js"))},
    "token_blacklist/locale/django": lambda: {
        *words_in_python(files("token_blacklist/**/*.py")),
        *words_in_templates(files("token_blacklist/templates/**/*.html")),
    },
}


def test_every_translation_file_exists_in_each_language():
    assert len(CATALOGS) == 6


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: str(path.relative_to(ROOT)))
class TestCatalog:
    def test_has_exactly_the_texts_of_the_source(self, path):
        kind = f"{path.parents[2].relative_to(ROOT)}/{path.stem}"
        texts = {message.id for message in catalog(path) if message.id}

        assert texts == TEXTS[kind]()

    def test_has_a_current_translation_of_every_text(self, path):
        for message in catalog(path):
            forms = message.string if message.pluralizable else [message.string]
            assert all(forms), message.id
            assert not message.fuzzy, message.id
        assert not catalog(path).obsolete


def test_the_english_catalog_renames_texts_that_allauth_still_has():
    german = Path(allauth.__file__).parent / "locale/de/LC_MESSAGES/django.po"
    theirs = {message.id for message in catalog(german)}

    assert [message.id for message in catalog(ENGLISH) if message.id not in theirs] == []
