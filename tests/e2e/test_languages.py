"""All pages in a browser that is set to German or Spanish."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.devices import Device
from tests.support.factories import PASSWORD

from .test_for_everybody import ENTRANCES, INSIDE, confirm, faults

pytestmark = pytest.mark.browser

ENGLISH = re.compile(r"\b(?:the|your|you|sign|password|device|and|of|is)\b", re.IGNORECASE)
WORDS = {
    "de-DE": {
        "email": "E-Mail-Adresse",
        "password": "Passwort",
        "sign in": "Anmelden",
        "wrong": "Die E-Mail-Adresse und/oder das Passwort sind leider falsch.",
        "sessions": "Ihre Sitzungen",
        "this device": "Dieses Gerät",
        "others": "Überall sonst abmelden",
        "one other": "1 weiteres Gerät wurde abgemeldet.",
        "sign out": "Abmelden",
        "signed out": "Sie sind abgemeldet.",
    },
    "es-MX": {
        "email": "Correo electrónico",
        "password": "Contraseña",
        "sign in": "Iniciar sesión",
        "wrong": (
            "La dirección de correo electrónico y/o la contraseña que ha indicado no son correctas."
        ),
        "sessions": "Sus sesiones",
        "this device": "Este dispositivo",
        "others": "Cerrar las demás sesiones",
        "one other": "Se cerró la sesión en 1 dispositivo más.",
        "sign out": "Cerrar sesión",
        "signed out": "Ha cerrado la sesión.",
    },
}


@pytest.mark.parametrize("language", WORDS)
def test_signing_in_and_out_is_translated(others, user, language):
    said = WORDS[language]
    Device(user, HTTP_USER_AGENT="Mozilla/5.0 (iPhone)").log_in()
    page = others(locale=language, viewport={"width": 360, "height": 740}).page
    seen = []

    def looks():
        seen.append(page.locator("body").inner_text())
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert not faults(page)

    def sends(password):
        page.get_by_label(said["password"], exact=True).fill(password)
        page.get_by_role("main").get_by_role("button", name=said["sign in"], exact=True).click()

    page.goto("/login/")
    page.get_by_label(said["email"]).fill(user.email)
    sends("wrong")
    expect(page.get_by_text(said["wrong"])).to_be_visible()
    looks()
    sends(PASSWORD)
    expect(page.get_by_role("heading", name=said["sessions"])).to_be_visible()
    expect(page.get_by_text(said["this device"])).to_be_visible()
    looks()
    page.get_by_role("button", name=said["others"]).click()
    expect(page.get_by_text(said["one other"])).to_be_visible()
    page.get_by_role("navigation").get_by_role("button", name=said["sign out"]).click()
    expect(page.get_by_text(said["signed out"])).to_be_visible()
    looks()

    # But Except the name of the user.
    assert not ENGLISH.findall("\n".join(seen).replace(user.name, ""))
    assert page.locator("html").get_attribute("lang") == language[:2]


BROKEN_WORDS = """() => {
  document.documentElement.style.fontSize = "200%";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("noscript, [hidden], template, .skip, bdi")) continue;
    for (const { 0: word, index } of text.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
      const range = new Range();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(word);
    }
  }
  return broken;
}"""


def enter(page, user):
    page.goto("/login/")
    page.locator("#id_login").fill(user.email)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("form.card [type=submit]").click()


@pytest.mark.parametrize("language", ["en-GB", *WORDS])
@pytest.mark.expects("status of 40[14]")
def test_text_at_200_percent_does_not_break_words_on_a_phone(others, user, language):
    phone = others(locale=language, viewport={"width": 360, "height": 740})
    page, found = phone.page, {}

    def looks(*, at_words=True):
        words = page.evaluate(BROKEN_WORDS)
        found[page.url] = words if at_words else []  # django-allauth has long ones in its headings
        assert page.evaluate("document.documentElement.scrollWidth") == 360, page.url

    for path in ("/", *ENTRANCES):
        page.goto(path)
        looks(at_words=path in {"/", "/login/", "/signup/", "/inactive/"})
    enter(page, user)
    expect(phone.sessions).to_have_count(1)
    looks()
    confirm(page)
    for path in INSIDE:
        page.goto(path)
        looks(at_words=False)

    assert not [word for words in found.values() for word in words], found
