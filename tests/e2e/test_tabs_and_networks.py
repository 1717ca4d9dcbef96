"""One session in several tabs, with lost responses and without a network."""

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
def test_two_tabs_that_refresh_concurrently_stay_signed_in(visitor, user, locks):
    if not locks:  # browsers have none on a site without TLS
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
def test_a_refresh_whose_response_was_lost_can_be_repeated(visitor, user, playwright, live_server):
    visitor.sign_in(user)
    generation = OutstandingToken.objects.get().generation
    lost = []

    def lose_the_first(route):
        if lost:
            route.continue_()
        else:
            # The server refreshes, but the browser does not receive the response and its cookie.
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
def test_an_offline_page_says_so_and_continues_when_online(visitor, user):
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


def test_signing_out_in_one_tab_clears_the_other(visitor, user):
    visitor.sign_in(user)
    first, second = visitor.open_tab(), visitor.page
    second.goto("/account/")
    visitor.sees_the_account()

    visitor.presses("Sign out", first)

    expect(second.get_by_text("You are signed out.")).to_be_visible()
    assert user.email not in second.content()


def test_signing_in_in_one_tab_signs_the_other_in(visitor, user):
    visitor.page.goto("/login/")
    first = visitor.open_tab()

    visitor.sign_in(user)

    visitor.sees_the_account(first)


def test_a_tab_shows_the_new_user_after_another_user_signed_in(visitor, user):
    visitor.sign_in(user)
    first = visitor.open_tab()
    visitor.page.goto("/")
    visitor.presses("Sign out")
    visitor.sees("You are signed out.")
    next_one = UserFactory()
    visitor.sign_in(next_one)

    visitor.sees_the_account(first)
    expect(first.get_by_text(next_one.email)).to_be_visible()
