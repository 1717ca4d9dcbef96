"""Several tabs, lost answers and bad networks: one session, and it holds."""

import pytest
from playwright.sync_api import expect

from tests.support.factories import UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken

pytestmark = pytest.mark.browser

NO_WEB_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })"


def both_reload(visitor, first, second):
    for page in (first, second):
        page.evaluate("() => { setTimeout(() => location.reload(), 50) }")
    for page in (first, second):
        page.wait_for_timeout(200)
        visitor.sees_the_account(page)
        expect(page.locator("#sessions > li")).to_have_count(1)


@pytest.mark.parametrize("locks", [True, False])
def test_two_tabs_that_refresh_at_the_same_moment_both_stay_in(visitor, user, locks):
    if not locks:  # as on a site without TLS
        visitor.context.add_init_script(NO_WEB_LOCKS)
    visitor.sign_in(user)
    first, second = visitor.open_tab(), visitor.page
    second.goto("/account/")
    visitor.sees_the_account()

    for _again in range(5):
        both_reload(visitor, first, second)

    assert OutstandingToken.objects.count() == 1
    assert not BlacklistedToken.objects.exists()
    assert {r.response().status for r in visitor.asked("/api/token/refresh/")} == {200}


def test_one_tab_refreshes_and_the_other_gets_its_token(visitor, user):
    visitor.context.clock.install()
    visitor.sign_in(user)
    first, second = visitor.open_tab(), visitor.page
    second.goto("/account/")
    visitor.sees_the_account()
    before = OutstandingToken.objects.get().generation

    for refreshes in (1, 2, 3):
        visitor.context.clock.fast_forward("04:35")  # the token lasts 5 minutes, less 30 seconds
        for page in (first, second):
            page.get_by_label("Name").fill(f"Ada {refreshes}")
            with page.expect_response("**/api/me/") as saved:
                visitor.presses("Save", page)
            assert saved.value.status == 200

        assert OutstandingToken.objects.get().generation == before + refreshes


@pytest.mark.expects("ERR_FAILED")
def test_the_answer_to_a_refresh_is_lost_and_the_next_try_succeeds(
    visitor, user, playwright, live_server
):
    visitor.sign_in(user)
    generation = OutstandingToken.objects.get().generation
    lost = []

    def lose_the_first(route):
        if lost:
            route.continue_()
        else:
            # It is done, by a client that keeps the new cookie for itself: to the browser the
            # answer never arrives.
            sender = playwright.request.new_context(base_url=live_server.url)
            headers = route.request.all_headers()
            lost.append(sender.post("/api/token/refresh/", headers=headers, data={}))
            route.abort()

    visitor.page.route("**/api/token/refresh/", lose_the_first)
    visitor.page.reload()

    visitor.sees_the_account()
    assert lost[0].status == 200
    session = OutstandingToken.objects.get()
    assert session.generation == generation + 1
    assert not session.is_blacklisted


@pytest.mark.expects("ERR_INTERNET_DISCONNECTED")
def test_who_is_offline_is_told_so_and_goes_on_when_back(visitor, user):
    visitor.sign_in(user)

    visitor.context.set_offline(True)
    visitor.saves_the_name("Ada")
    visitor.sees("You seem to be offline.")
    visitor.presses("Sign out")
    expect(visitor.page.locator("#notice")).to_contain_text("You seem to be offline.")

    visitor.context.set_offline(False)
    visitor.presses("Save")
    visitor.sees("Saved.")
    assert not BlacklistedToken.objects.exists()


@pytest.mark.expects("ERR_FAILED")
def test_a_page_that_opens_without_a_network_shows_itself_when_there_is_one(visitor, user):
    visitor.sign_in(user)
    visitor.page.route("**/api/**", lambda route: route.abort())
    visitor.page.reload()
    visitor.sees("You seem to be offline.")

    visitor.page.unroute("**/api/**")
    visitor.page.evaluate("dispatchEvent(new Event('online'))")

    visitor.sees_the_account()


def test_signing_out_in_one_tab_empties_the_other(visitor, user):
    visitor.sign_in(user)
    first, second = visitor.open_tab(), visitor.page
    second.goto("/account/")
    visitor.sees_the_account()

    visitor.presses("Sign out", first)

    expect(second.get_by_text("You are signed out.")).to_be_visible()
    assert user.email not in second.content()


def test_signing_in_in_one_tab_takes_the_other_along(visitor, user):
    visitor.page.goto("/login/")
    first = visitor.open_tab()

    visitor.sign_in(user)

    visitor.sees_the_account(first)


def test_a_tab_of_one_person_never_acts_as_the_next(visitor, user):
    visitor.sign_in(user)
    first = visitor.open_tab()
    visitor.page.goto("/")
    visitor.presses("Sign out")
    visitor.sees("You are signed out.")
    next_one = UserFactory()
    visitor.sign_in(next_one)

    visitor.sees_the_account(first)
    expect(first.get_by_text(next_one.email)).to_be_visible()
