"""After signing in one is where one wanted to go; and nowhere on another site."""

import pytest
from playwright.sync_api import expect

from tests.accounts.test_pages import FOREIGN

pytestmark = pytest.mark.browser

# A page of a product: what stands in docs/pages.md, on an address that needs no view here.
PAGE = """
import { request } from "/static/js/session.js";
import { requireSignIn } from "/static/js/site.js";

await requireSignIn();
const me = await request("/api/me/");
document.querySelector("h1").textContent = `Reports of ${me.email}`;
document.querySelector("h1").addEventListener("click", async () => {
  await request("/api/me/");
});
"""


@pytest.fixture
def reports(visitor, db):
    """Put a page of a product at /reports/: the home page with a script of its own."""

    def page(route):
        answer = route.fetch(url=route.request.url.split("/reports/")[0] + "/")
        script = '<script type="module" src="/reports/reports.js"></script></head>'
        route.fulfill(response=answer, body=answer.text().replace("</head>", script))

    visitor.context.route(
        "**/reports/reports.js",
        lambda route: route.fulfill(body=PAGE, content_type="text/javascript"),
    )
    visitor.context.route(lambda url: "/reports/?" in url and "next=" not in url, page)
    return "/reports/?year=2026"


def test_a_page_that_needs_a_user_is_come_back_to_after_signing_in(visitor, user, reports):
    visitor.page.goto(reports)
    visitor.page.wait_for_url("**/login/?next=*")
    visitor.types_credentials(user.email)

    visitor.sees(f"Reports of {user.email}")
    visitor.is_at(reports)


def test_a_new_user_is_led_back_as_well(visitor, reports):
    visitor.page.goto(reports)
    visitor.page.get_by_role("link", name="No account yet?").click()
    visitor.page.get_by_label("E-mail address").fill("ada@example.com")
    visitor.page.get_by_label("Password").fill("a long password of hers")
    visitor.presses("Sign up")

    visitor.sees("Reports of ada@example.com")
    visitor.is_at(reports)


@pytest.mark.expects("status of 401")
def test_a_session_that_ends_elsewhere_leads_back_too_and_is_no_error_of_the_page(
    visitor, others, user, reports
):
    visitor.sign_in(user)
    visitor.page.goto(reports)
    visitor.sees(f"Reports of {user.email}")
    phone = others()
    phone.sign_in(user)
    phone.presses("Sign out everywhere else")
    phone.sees("1 other device was signed out.")

    visitor.page.get_by_role("heading", name="Reports of").click()

    visitor.sees("You were signed out on another device.")
    visitor.types_credentials(user.email)
    visitor.is_at(reports)


@pytest.mark.expects("ERR_FAILED")
def test_without_a_network_a_page_says_so_and_goes_on_when_it_is_back(visitor, user, reports):
    visitor.sign_in(user)
    visitor.page.route("**/api/**", lambda route: route.abort())
    visitor.page.goto(reports)
    visitor.sees("You seem to be offline.")

    visitor.page.unroute("**/api/**")
    visitor.page.evaluate("dispatchEvent(new Event('online'))")

    visitor.sees(f"Reports of {user.email}")
    expect(visitor.page.locator("#notice")).to_be_empty()


def test_signing_in_leads_to_no_other_site(visitor, user):
    destinations = """async (all) => {
      const { destination } = await import("/static/js/site.js");
      return all.map((wanted) => {
        history.replaceState(null, "", "?next=" + encodeURIComponent(wanted));
        return new URL(destination()).pathname;
      });
    }"""
    visitor.page.goto("/login/")

    assert set(visitor.page.evaluate(destinations, FOREIGN)) == {"/account/"}
    visitor.types_credentials(user.email)
    visitor.sees_the_account()
    visitor.is_at("/account/")
