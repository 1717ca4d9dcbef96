"""The example of docs/pages.md: a page with a Content-Security-Policy of its own."""

import re

import pytest
from django.urls import clear_url_caches, path
from playwright.sync_api import expect

from config import urls
from tests.support.checkout import ROOT

pytestmark = pytest.mark.browser

DOCUMENT = (ROOT / "docs/pages.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"(?s)\n`([\w/.]+)`, a new file:\n\n```\w+\n(.*?)```", DOCUMENT))
VIEW = FILES["shop/pages.py"]
URL = "documented/prices/"


@pytest.fixture
def install(tmp_path, settings):
    """Write the example's files; return what adds its view to the URLs."""
    for name in [name for name in FILES if name.startswith("shop/")]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FILES[name], encoding="utf-8")
    settings.TEMPLATES = [
        {
            **settings.TEMPLATES[0],
            "DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path / "shop/templates"],
        }
    ]
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path / "shop/static"]
    before = list(urls.urlpatterns)

    def install(code):
        module = {"__name__": "shop.pages"}
        exec(code, module)
        urls.urlpatterns.append(path(URL, module["prices"]))

    yield install
    urls.urlpatterns[:] = before
    clear_url_caches()


@pytest.mark.parametrize("width", [360, 1280])
def test_the_documented_page_works_with_its_own_csp(install, page, width):
    install(VIEW)
    page.set_viewport_size({"width": width, "height": 740})

    page.goto(f"/{URL}")

    expect(page.locator("#prices li")).to_have_text(["Tea: 3", "<b>Coffee</b>: 4"])
    expect(page.locator("#offer mark")).to_have_text("Two for one, <5 left")
    expect(page.locator("#prices")).to_have_css("list-style-type", "square")
    assert page.evaluate("document.getElementById('logo').naturalWidth") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.expects("Content Security Policy|Trusted ?Type|csp")
def test_the_default_csp_blocks_the_documented_page(install, page):
    install(re.sub(r"(?m)^@csp_.*\n", "", VIEW))

    page.goto(f"/{URL}")

    expect(page.locator("#prices li")).to_have_count(2)
    expect(page.locator("#offer mark")).to_have_count(0)
    assert page.evaluate("document.getElementById('logo').naturalWidth") == 0
