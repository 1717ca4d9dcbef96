"""Signing out in a browser: by the user, on another device, by support."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.support.admin import Admin
from tests.support.devices import TOKEN
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken

pytestmark = pytest.mark.browser

ENDED = pytest.mark.expects("status of 401")
ELSEWHERE = "You were signed out from another device."


def test_after_signing_out_captured_tokens_are_refused(visitor, user, playwright, live_server):
    visitor.sign_in(user)
    cookie, access = visitor.refresh_cookie, visitor.access_token

    visitor.presses("Sign out")

    visitor.sees("You are signed out.")
    (call,) = visitor.asked("/api/token/blacklist/")
    assert (call.method, call.response().status) == ("POST", 200)
    assert visitor.refresh_cookie is None
    assert OutstandingToken.objects.get().is_blacklisted
    attacker = playwright.request.new_context(base_url=live_server.url)
    assert attacker.post("/api/token/refresh/", data={"refresh": cookie}).status == 401
    bearer = {"Authorization": f"Bearer {access}"}
    assert attacker.get("/api/me/", headers=bearer).status == 401
    attacker.dispose()


@ENDED
def test_a_session_can_be_ended_from_another_browsers_list(visitor, others, user):
    laptop, phone = visitor, others(user_agent="Mozilla/5.0 (iPhone) Version/17.0 Safari/604.1")
    phone.sign_in(user)
    laptop.sign_in(user)
    expect(laptop.sessions).to_have_count(2)

    laptop.page.get_by_role("button", name=re.compile("Sign out: .+")).click()
    expect(laptop.sessions).to_have_count(1)
    expect(laptop.sessions).to_contain_text("This device")
    phone.presses("Save")

    phone.sees(ELSEWHERE)
    assert BlacklistedToken.objects.get().reason == "logout"


@ENDED
def test_a_session_blacklisted_in_the_admin_is_signed_out_at_the_next_click(visitor, others, user):
    visitor.sign_in(user)
    admin = Admin(others().page)
    admin.sign_in(UserFactory(admin=True))

    admin.blacklist(OutstandingToken.objects.get(user=user))
    visitor.presses("Save")

    visitor.sees(ELSEWHERE)
    assert BlacklistedToken.objects.get().reason == "admin"


@ENDED
def test_a_new_password_ends_copied_tokens_and_keeps_this_browser_signed_in(
    visitor, user, playwright, live_server
):
    visitor.sign_in(user)
    cookie, access = visitor.refresh_cookie, visitor.access_token
    tab = visitor.open_tab()

    visitor.changes_the_password(PASSWORD, "a new long password")
    visitor.sees("Password successfully changed.")

    attacker = playwright.request.new_context(base_url=live_server.url)
    bearer = {"Authorization": f"Bearer {access}"}
    assert attacker.get("/api/me/", headers=bearer).status == 401
    assert attacker.post("/api/token/refresh/", data={"refresh": cookie}).status == 401
    attacker.dispose()
    visitor.page.goto("/account/")
    for page in (visitor.page, tab):
        page.get_by_label("Name").fill("Ada")
        visitor.presses("Save", page)
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.reload()
        visitor.sees_the_account(page)


def test_an_expired_session_shows_that_it_has_ended(visitor, user):
    visitor.sign_in(user)
    OutstandingToken.objects.update(expires_at=timezone.now())

    visitor.page.reload()

    visitor.sees("Your session has ended. Sign in again.")
    visitor.types_credentials(user.email)
    visitor.sees_the_account()


def test_a_missing_refresh_cookie_is_set_again_by_the_page(visitor, user):
    visitor.sign_in(user)
    visitor.context.clear_cookies(name="refresh_token")

    visitor.page.reload()

    visitor.sees_the_account()
    assert visitor.refresh_cookie is not None
    assert OutstandingToken.objects.count() == 1


def test_a_refresh_cookie_without_a_django_session_shows_the_sign_in_page(visitor, user):
    visitor.sign_in(user)
    visitor.context.clear_cookies(name="sessionid")

    visitor.page.goto("/account/")

    visitor.page.wait_for_load_state("networkidle")
    visitor.is_at("/login/?next=/account/")
    visitor.types_credentials(user.email)
    visitor.sees_the_account()


@ENDED
def test_a_refused_refresh_signs_the_page_out_without_a_redirect_loop(visitor, user):
    """The sign-in page must not redirect back if the API refuses a session that pages accept."""
    visitor.sign_in(user)
    visitor.page.route(
        "**/api/token/refresh/", lambda route: route.fulfill(status=401, json={"detail": "Ended."})
    )

    visitor.page.reload()

    visitor.sees(ELSEWHERE)
    visitor.page.unroute("**/api/token/refresh/")
    visitor.page.goto("/account/")
    visitor.is_at("/login/?next=/account/")


def test_without_javascript_signing_out_revokes_the_session(others, user):
    visitor = others(java_script_enabled=False)
    visitor.sends_credentials(user.email)
    assert visitor.refresh_cookie is not None

    visitor.presses("Sign out")

    visitor.sees("You are signed out.")
    assert visitor.refresh_cookie is None
    assert OutstandingToken.objects.get().is_blacklisted


def test_the_back_button_shows_nothing_private_after_signing_out(visitor, user):
    visitor.sign_in(user)
    visitor.page.goto("/")
    visitor.page.get_by_role("navigation").get_by_role("link", name="Account").click()
    visitor.sees_the_account()
    visitor.presses("Sign out")
    visitor.sees("You are signed out.")

    for _again in range(3):
        visitor.page.go_back()
        visitor.page.wait_for_load_state("networkidle")
        assert user.email not in visitor.page.content()
        expect(visitor.page.get_by_role("heading", name="Your sessions")).to_be_hidden()


def test_no_token_is_in_web_storage_urls_or_the_page(visitor, user):
    visitor.sign_in(user)
    visitor.saves_the_name("Ada")
    visitor.sees("Saved.")

    page = visitor.page
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert not TOKEN.search(stored + page.content() + page.evaluate("document.cookie"))
    assert not [request.url for request in visitor.requests if TOKEN.search(request.url)]
    (cookie,) = [c for c in visitor.context.cookies() if c["name"] == "refresh_token"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"], cookie["path"]) == (
        True,
        "Strict",
        True,
        "/api/token/",
    )
