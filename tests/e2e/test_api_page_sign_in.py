"""The sign-in form of the API page, which fills the access token in."""

from http import HTTPStatus

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.factories import PASSWORD
from token_blacklist.models import OutstandingToken

pytestmark = pytest.mark.browser

REFUSED = pytest.mark.expects("status of 401")


class ApiPage:
    def __init__(self, page):
        self.page = page
        self.form = page.get_by_role("region", name="Sign in here")
        self.code = self.form.get_by_label("Code")
        page.goto("/api/docs/")

    def sign_in(self, email, password=PASSWORD):
        self.form.get_by_label("E-mail address").fill(email)
        self.form.get_by_label("Password").fill(password)
        self.form.get_by_role("button", name="Sign in").click()

    def is_signed_in(self):
        expect(self.form.get_by_role("status")).to_contain_text("You are signed in.")

    def me(self):
        """Return the response to GET /api/me/, tried on the page."""
        me = self.page.locator("#operations-account-me")
        me.locator(".opblock-summary").click()
        me.get_by_role("button", name="Try it out").click()
        with self.page.expect_response("**/api/me/") as answer:
            me.get_by_role("button", name="Execute").click()
        return answer.value


@pytest.fixture
def api_page(page):
    return ApiPage(page)


def test_a_sign_in_authorizes_the_requests_of_the_page(api_page, user):
    api_page.sign_in(user.email)
    api_page.is_signed_in()
    expect(api_page.form.get_by_label("Password")).to_be_empty()

    answer = api_page.me()
    assert (answer.status, answer.json()["email"]) == (HTTPStatus.OK, user.email)


@REFUSED
def test_a_wrong_password_shows_the_sentence_of_the_api(api_page, client, user):
    wrong = {"email": user.email, "password": "wrong"}
    sentence = client.post("/api/token/", wrong, "application/json").json()["detail"]

    api_page.sign_in(**wrong)

    expect(api_page.form.get_by_role("alert")).to_have_text(sentence)
    expect(api_page.code).to_be_hidden()
    api_page.sign_in(user.email)
    api_page.is_signed_in()
    expect(api_page.form.get_by_role("alert")).to_be_empty()


@REFUSED
def test_a_second_factor_asks_for_the_code(api_page, with_all):
    api_page.sign_in(with_all.email)
    expect(api_page.code).to_be_focused()
    expect(api_page.form.get_by_role("alert")).to_contain_text("Enter the code")

    api_page.page.keyboard.type(next(with_all.codes))
    api_page.page.keyboard.press("Enter")

    api_page.is_signed_in()
    assert api_page.me().status == HTTPStatus.OK


def test_the_session_of_the_browser_can_be_used(visitor, user):
    visitor.sign_in(user)
    api_page = ApiPage(visitor.page)

    api_page.form.get_by_role("button", name="Use the session of this browser").click()

    api_page.is_signed_in()
    assert api_page.me().status == HTTPStatus.OK
    assert OutstandingToken.objects.count() == 1


@REFUSED
@pytest.mark.parametrize("accent", ["#3b5bdb", "#ffd43b"])
def test_axe_finds_nothing_in_the_form(api_page, with_all, settings, accent):
    settings.ACCENT_COLOR = accent
    api_page.page.reload()
    api_page.sign_in(with_all.email)
    expect(api_page.code).to_be_visible()

    found = []
    for scheme in ("light", "dark"):
        api_page.page.emulate_media(color_scheme=scheme)
        expect(api_page.page.locator("html.dark-mode")).to_have_count(int(scheme == "dark"))
        results = Axe().run(api_page.page, "#sign-in", {"resultTypes": ["violations"]})
        found += [f"{scheme}: {fault['id']}" for fault in results.response["violations"]]

    assert not found


def test_a_sign_in_holds_for_the_other_definition(api_page, user):
    select = api_page.page.get_by_label("Select a definition")
    select.select_option(label="Accounts")
    expect(api_page.page.get_by_role("heading", name="accounts API")).to_be_visible()

    api_page.sign_in(user.email)
    api_page.is_signed_in()
    select.select_option(label="Tokens and sessions")

    assert api_page.me().status == HTTPStatus.OK
