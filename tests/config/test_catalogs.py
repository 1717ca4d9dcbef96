"""The translations: well-formed, and chosen by Accept-Language."""

from __future__ import annotations

import html
import re

import pytest
from babel.messages.pofile import read_po
from django.core import mail

from config.admin.texts import THEME_TEXTS
from tests.support.checkout import ROOT
from tests.support.devices import Device
from tests.support.factories import UserFactory

CATALOGS = sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")) + sorted(
    ROOT.glob("token_blacklist/locale/*/LC_MESSAGES/*.po")
)


def catalog(path):
    with path.open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_translation_has_the_placeholders_and_tags_of_the_original(path):
    for message in catalog(path):
        if not message.id or message.fuzzy:
            continue
        given = [message.id] if isinstance(message.id, str) else message.id
        said = [message.string] if isinstance(message.string, str) else message.string
        for form in filter(None, said):
            assert places(form) in [places(text) for text in given], message.id
            assert re.findall("<[^>]+>", form) == re.findall("<[^>]+>", given[-1])


def places(text):
    return sorted(re.findall(r"%\(\w+\)[\d.]*[sdf]|%s", text))


def test_an_api_error_is_translated_and_its_code_is_not(user):
    answer = Device(user, HTTP_ACCEPT_LANGUAGE="de-AT,de;q=0.9").refresh("x")

    assert answer.json()["detail"].startswith("Ihre Sitzung ist beendet.")
    assert answer.json()["code"] == "token_not_valid"
    assert answer.headers["Content-Language"] == "de"
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.pages
def test_pages_and_their_scripts_are_translated(client, db):
    page = client.get("/login/", headers={"accept-language": "de"})
    words = client.get("/jsi18n/", headers={"accept-language": "de"})

    assert '<html lang="de"' in page.content.decode()
    assert "Passwort vergessen?" in page.content.decode()
    assert "Die E-Mail-Adresse oder das Passwort ist falsch." in words.content.decode()
    assert "Accept-Language" in words.headers["Vary"]
    assert "Passwort" not in client.get("/login/").content.decode()


@pytest.mark.pages
def test_emails_are_translated(client, user):
    client.post("/password/reset/", {"email": user.email}, headers={"accept-language": "es"})

    (email,) = mail.outbox
    assert "Su enlace para una contraseña nueva" in email.subject
    assert "Alguien pidió a" in email.body
    assert "Someone" not in email.body


def test_the_texts_of_the_admins_theme_are_translated(client, db):
    admin = UserFactory(admin=True)
    client.force_login(admin)
    pages = ["", f"accounts/user/{admin.pk}/change/", "token_blacklist/outstandingtoken/"]

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
    assert not shown("de")
