"""All pages in a browser that is set to German or Spanish."""

import pytest
from playwright.sync_api import expect

from tests.support.devices import Device
from tests.support.factories import PASSWORD

from .test_for_everybody import ENTRANCES, INSIDE, confirm

pytestmark = pytest.mark.browser

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


def test_a_german_browser_shows_pages_and_messages_in_german(others, user):
    Device(user).log_in()
    page = others(locale="de-DE").page
    enter(page, user)

    page.get_by_role("button", name="Überall sonst abmelden").click()

    expect(page.get_by_text("1 weiteres Gerät wurde abgemeldet.")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")


@pytest.mark.parametrize("language", ["en-GB", "de-DE", "es-MX"])
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
