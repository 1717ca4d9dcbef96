"""The home page and the API's page."""

import pytest
from playwright.sync_api import expect

from tests.support.parts import only_with

pytestmark = pytest.mark.browser

TOKEN_PATHS = {
    "/api/token/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/token/blacklist/",
    "/api/token/csrf/",
    *only_with(
        "services",
        "/api/token/introspect/",
        "/api/token/check/",
        "/api/token/revocations/",
    ),
    *only_with("sliding", "/api/token/sliding/", "/api/token/sliding/refresh/"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_home_page_follows_the_color_scheme(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto("/")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    brightness = page.evaluate(
        "() => { const style = getComputedStyle(document.body);"
        " return [style.backgroundColor, style.color].map("
        "   rgb => rgb.match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0)) }"
    )
    assert brightness == sorted(brightness, reverse=scheme == "light")
    assert abs(brightness[0] - brightness[1]) > 500  # of 765, black on white


def test_the_api_page_shows_the_token_operations_without_requests_to_other_hosts(page):
    page.goto("/api/docs/")

    paths = page.locator("[data-path^='/api/token/']")
    expect(paths).to_have_count(len(TOKEN_PATHS))
    assert {path.get_attribute("data-path") for path in paths.all()} == TOKEN_PATHS
