"""The home page and the API's page."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.factories import PASSWORD
from tests.support.parts import only_with
from token_blacklist.models import OutstandingToken

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


def test_the_home_page_leads_to_the_sign_in_and_then_to_the_account(visitor, user):
    page = visitor.page
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    visitor.types_credentials(user.email)
    visitor.sees_the_account()
    page.goto("/")

    visitor.sees(f"You are signed in as {user.get_full_name()}.")
    page.get_by_role("main").get_by_role("link").click()
    visitor.sees_the_account()


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


@pytest.mark.parametrize("path", ["/", "/api/docs/", "/admin/"])
def test_a_phone_shows_a_page_without_scrolling_sideways(page, path):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(path, wait_until="networkidle")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_api_page_shows_the_token_operations_without_requests_to_other_hosts(page):
    page.goto("/api/docs/")

    paths = page.locator("[data-path^='/api/token/']")
    expect(paths).to_have_count(len(TOKEN_PATHS))
    assert {path.get_attribute("data-path") for path in paths.all()} == TOKEN_PATHS


def test_a_user_can_sign_in_on_the_api_page(page, user):
    page.goto("/api/docs/")
    operation = page.locator(".opblock", has=page.locator("[data-path='/api/token/']"))
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("textarea").fill(json.dumps({"email": user.email, "password": PASSWORD}))

    with page.expect_response("**/api/token/") as answer:
        operation.get_by_role("button", name="Execute").click()

    assert answer.value.status == 200
    shown = operation.locator(".live-responses-table")
    expect(shown.locator(".response .response-col_status")).to_have_text("200")
    expect(shown).to_contain_text('"refresh": "eyJ')
    assert OutstandingToken.objects.get().user == user

    page.get_by_role("button", name="Authorize", exact=True).click()
    page.get_by_label("auth-bearer-value").fill(answer.value.json()["access"])
    bearer = page.locator(".modal-ux form").filter(has_text="bearer")
    bearer.get_by_role("button", name="Apply credentials").click()
    bearer.get_by_role("button", name="Close", exact=True).click()
    me = page.locator("#operations-account-me")
    me.locator(".opblock-summary").click()
    me.get_by_role("button", name="Try it out").click()
    me.get_by_role("button", name="Execute").click()

    expect(me.locator(".live-responses-table")).to_contain_text(user.email)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_api_page_follows_the_color_scheme_and_has_a_lang_attribute(page, settings, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto("/api/docs/")

    expect(page.get_by_role("heading", name=f"{settings.SITE_NAME} API")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(28, 32, 34)") == (scheme == "dark")


def test_the_sign_in_page_of_the_admin_has_a_main_landmark(page, db):
    page.goto("/admin/")

    expect(page.get_by_role("main").get_by_label("E-mail", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/login/", "/account/", "/password/reset/", "/api/docs/"])
def test_every_page_has_a_meta_description(page, db, path):
    page.goto(path)

    expect(page.locator("meta[name=description]")).to_have_attribute("content", re.compile(".{30}"))


def test_user_names_are_shown_in_their_own_text_direction(visitor, user):
    visitor.sign_in(user)

    expect(visitor.page.get_by_label("Name")).to_have_attribute("dir", "auto")
    expect(visitor.sessions.locator("bdi").first).to_be_visible()
