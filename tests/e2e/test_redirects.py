"""Redirects after signing in: to the page that required it, never to another site."""

import pytest
from django.urls import clear_url_caches, path
from playwright.sync_api import expect

from accounts.pages import Page
from config import urls
from tests.accounts.test_pages import FOREIGN

pytestmark = pytest.mark.browser

# A page of a product: what stands in docs/pages.md.
PAGE = """
import { requireSignIn } from "/static/js/site.js";
import { session } from "/static/js/this-session.js";

await requireSignIn();
const me = await session.me();
document.querySelector("h1").textContent = `Reports of ${me.email}`;
document.querySelector("h1").addEventListener("click", async () => {
  await session.me();
});
"""


class Reports(Page):
    """A page of a product: the home page with its own script."""

    template_name = "home.html"

    def render_to_response(self, *args, **kwargs):
        answer = super().render_to_response(*args, **kwargs).render()
        script = b'<script type="module" src="/reports/reports.js"></script></head>'
        answer.content = answer.content.replace(b"</head>", script)
        return answer


@pytest.fixture
def reports(visitor, db):
    before = list(urls.urlpatterns)
    urls.urlpatterns.append(path("reports/", Reports.as_view()))
    clear_url_caches()
    visitor.context.route(
        "**/reports/reports.js",
        lambda route: route.fulfill(body=PAGE, content_type="text/javascript"),
    )
    yield "/reports/?year=2026"
    urls.urlpatterns[:] = before
    clear_url_caches()


def test_signing_in_returns_to_the_page_that_required_it(visitor, user, reports):
    visitor.page.goto(reports)
    visitor.page.wait_for_url("**/login/?next=*")
    visitor.types_credentials(user.email)

    visitor.sees(f"Reports of {user.email}")
    visitor.is_at(reports)


@pytest.mark.expects("status of 401")
def test_signing_in_again_after_a_remote_sign_out_returns_to_the_page(
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

    visitor.sees("You were signed out from another device.")
    visitor.types_credentials(user.email)
    visitor.is_at(reports)


@pytest.mark.expects("ERR_FAILED")
def test_an_offline_page_of_the_site_says_so_and_continues_when_online(visitor, user, reports):
    visitor.sign_in(user)
    visitor.page.route("**/api/**", lambda route: route.abort())
    visitor.page.goto(reports)
    visitor.sees("You seem to be offline.")

    visitor.page.unroute("**/api/**")
    visitor.page.evaluate("dispatchEvent(new Event('online'))")

    visitor.sees(f"Reports of {user.email}")
    expect(visitor.page.locator("#notice")).to_be_empty()


def test_signing_in_never_redirects_to_another_site_in_a_browser(visitor, user):
    destinations = """async (all) => {
      const { destination } = await import("/static/js/site.js");
      return all.map((wanted) => {
        history.replaceState(null, "", "?next=" + encodeURIComponent(wanted));
        return new URL(destination(), location).pathname;
      });
    }"""
    visitor.page.goto("/login/")

    assert set(visitor.page.evaluate(destinations, FOREIGN)) == {"/account/"}
    visitor.types_credentials(user.email)
    visitor.sees_the_account()
    visitor.is_at("/account/")
