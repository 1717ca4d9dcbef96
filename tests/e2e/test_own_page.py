"""The example of docs/pages.md, as it is there: a page that needs more than the policy allows."""

import re

import pytest
from django.urls import clear_url_caches
from playwright.sync_api import expect

from config import urls
from tests.support.checkout import ROOT

pytestmark = pytest.mark.browser

DOCUMENT = (ROOT / "docs/pages.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"(?s)\n`([\w/.]+)`[^\n]*:\n\n```\w+\n(.*?)```", DOCUMENT))


@pytest.fixture
def install(tmp_path, settings):
    """Write the example's files and add its address; give the code of the address."""
    for name in [name for name in FILES if name.startswith("shop/")]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[name], encoding="utf-8")
    settings.TEMPLATES = [
        {
            **settings.TEMPLATES[0],
            "DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path / "shop/templates"],
        }
    ]
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path / "shop/static"]
    before = list(urls.urlpatterns)

    def install(code):
        exec(code, {"__name__": "shop", "urlpatterns": urls.urlpatterns, "path": urls.path})

    yield install
    urls.urlpatterns[:] = before
    clear_url_caches()


@pytest.mark.parametrize("width", [360, 1280])
def test_the_documented_page_gets_what_it_needs(install, page, width):
    install(FILES["config/urls.py"])
    page.set_viewport_size({"width": width, "height": 740})

    page.goto("/prices/")

    expect(page.locator("#prices li")).to_have_text(["Tea: 3", "<b>Coffee</b>: 4"])
    expect(page.locator("#offer mark")).to_have_text("Two for one, <5 left")
    expect(page.locator("#prices")).to_have_css("list-style-type", "square")
    assert page.evaluate("document.getElementById('logo').naturalWidth") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.expects("Content Security Policy|Trusted ?Type|csp")
def test_without_what_it_asks_for_the_policy_blocks_it(install, page):
    install(re.sub(r"(?m)^@csp_.*\n", "", FILES["config/urls.py"]))

    page.goto("/prices/")

    expect(page.locator("#prices li")).to_have_count(2)
    expect(page.locator("#offer mark")).to_have_count(0)
    assert page.evaluate("document.getElementById('logo').naturalWidth") == 0
