"""German and Spanish translations: complete, current, and chosen by Accept-Language."""

from __future__ import annotations

import html
import io
import re

import pytest
from babel.messages.extract import extract_javascript, extract_python
from babel.messages.pofile import read_po
from django.core import mail
from django.utils.translation.template import templatize

from config.admin.texts import THEME_TEXTS
from tests.support.checkout import ROOT
from tests.support.devices import Device
from tests.support.factories import UserFactory

CATALOGS = sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")) + sorted(
    ROOT.glob("token_blacklist/locale/*/LC_MESSAGES/*.po")
)
KEYWORDS = dict.fromkeys(
    ("gettext", "gettext_lazy", "gettext_noop", "_", "ngettext", "ngettext_lazy")
)


def catalog(path):
    with path.open("rb") as file:
        return read_po(file)


def files(*patterns):
    for pattern in patterns:
        yield from (path for path in ROOT.glob(pattern) if ".venv" not in path.parts)


def words_of(found):
    """Return the texts of what Babel extracted: one, or singular and plural."""
    for _line, _function, texts, _comments in found:
        yield texts[:2] if isinstance(texts, tuple) else texts


def words_in_python(paths):
    for path in paths:
        yield from words_of(extract_python(io.BytesIO(path.read_bytes()), KEYWORDS, [], {}))


def words_in_templates(paths):
    for path in paths:
        # As in makemessages: each text becomes a call of gettext or `_`, and the rest is blanked.
        blanked = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        calls = re.findall(
            r"(?:n?gettext|\b_)\((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"),?\s*)+", blanked
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

    def test_has_the_placeholders_and_tags_of_the_original(self, path):
        for message in catalog(path):
            if not message.id:
                continue
            given = [message.id] if isinstance(message.id, str) else message.id
            said = [message.string] if isinstance(message.string, str) else message.string
            for form in said:
                assert places(form) in [places(text) for text in given], message.id
                assert re.findall("<[^>]+>", form) == re.findall("<[^>]+>", given[-1])


def places(text):
    return sorted(re.findall(r"%\(\w+\)[\d.]*[sdf]|%s", text))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de-AT,de;q=0.9", "Ihre Sitzung ist beendet. Melden Sie sich wieder an."),
        ("es", "Su sesión ha terminado. Inicie sesión de nuevo."),
    ],
)
def test_an_api_error_is_translated_and_its_code_is_not(db, user, language, said):
    device = Device(user, HTTP_ACCEPT_LANGUAGE=language)
    device.log_in()
    device.log_out()

    answer = device.refresh()

    assert answer.json()["detail"] == said
    assert answer.json()["code"] == "token_not_valid"
    assert answer.headers["Content-Language"] == language[:2]
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_request_for_an_unsupported_language_gets_english(db, user):
    device = Device(user, HTTP_ACCEPT_LANGUAGE="fi, tlh;q=0.5")

    assert device.refresh("x").json()["detail"] == "Your session has ended. Sign in again."


def test_field_errors_are_translated(client, db):
    answer = client.post("/api/token/", {}, "application/json", headers={"accept-language": "de"})

    assert answer.json() == {
        "email": ["Dieses Feld ist zwingend erforderlich."],
        "password": ["Dieses Feld ist zwingend erforderlich."],
    }


def test_pages_and_their_scripts_are_translated(client, db):
    page = client.get("/login/", headers={"accept-language": "de"})
    words = client.get("/jsi18n/", headers={"accept-language": "de"})

    assert '<html lang="de"' in page.content.decode()
    assert "Passwort vergessen?" in page.content.decode()
    assert "Die E-Mail-Adresse oder das Passwort ist falsch." in words.content.decode()
    assert "Accept-Language" in words.headers["Vary"]
    assert "Passwort" not in client.get("/login/").content.decode()


def test_emails_are_translated(client, user):
    client.post("/password/reset/", {"email": user.email}, headers={"accept-language": "es"})

    (email,) = mail.outbox
    assert "Su enlace para una contraseña nueva" in email.subject
    assert "Alguien pidió a" in email.body
    assert "Someone" not in email.body


@pytest.mark.parametrize("language", ["de", "es"])
def test_the_texts_of_the_admins_theme_are_translated(client, db, language):
    admin = UserFactory(admin=True)
    client.force_login(admin)
    pages = ["", "accounts/user/", "accounts/user/add/", f"accounts/user/{admin.pk}/change/"]
    pages += ["token_blacklist/outstandingtoken/", "token_blacklist/blacklistedtoken/"]

    def shown(language):
        headers = {"accept-language": language}
        answers = [client.get(f"/admin/{page}", headers=headers) for page in pages]
        # Between tags, or in an attribute, alone.
        found = "".join(html.unescape(answer.text) for answer in answers)
        return {
            text
            for text in THEME_TEXTS
            if re.search(rf"""[">]\s*{re.escape(text)}\s*["<]""", found)
        }

    assert len(shown("en")) > 10
    assert not shown(language)
