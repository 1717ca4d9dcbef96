"""What users of the app see, behind each proxy: `make frontends`. It needs npm."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.codes import totp

from .serving import FACTOR, PASSWORD, SECRET

pytestmark = pytest.mark.browser

REFUSED = r"status of 401"  # Chromium logs each response that is an error
CODE = "[A-Z0-9]+(?:-[A-Z0-9]+)*"
COMES_BACK = "document.dispatchEvent(new Event('visibilitychange'))"
WATCH = """new MutationObserver(() => {
  if (document.querySelector("input[name=password]")) window.sawTheForm = true;
}).observe(document, { childList: true, subtree: true })"""
STORES = """() => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state,
])"""


def sends(page, email, password=PASSWORD):
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    presses(page, "Sign in")


def presses(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def sees(page, text):
    expect(page.get_by_text(text, exact=True)).to_be_visible()


def signs_in(page, email):
    sends(page, email)
    is_signed_in(page, email)


def is_signed_in(page, email):
    sees(page, f"Signed in as {email}")
    expect(page.get_by_text("this device")).to_have_count(1)


def is_signed_out(page, reason):
    sees(page, reason)
    expect(page.get_by_label("Password")).to_be_visible()


def another_device(site, email):
    status, pair = site.call("/api/token/", {"email": email, "password": PASSWORD})
    assert status == 200
    return pair["access"]


def counted(context, path):
    """Return a list that collects the requests for a path."""
    found = []
    context.on("request", lambda request: request.url.endswith(path) and found.append(request))
    return found


def test_a_reload_keeps_the_session_and_does_not_show_the_form(page, email):
    signs_in(page, email)
    page.add_init_script(WATCH)
    page.reload()

    is_signed_in(page, email)
    assert not page.evaluate("window.sawTheForm")


def test_no_script_can_read_the_refresh_token_and_no_store_has_a_token(page, email, context, site):
    signs_in(page, email)

    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    prefixes = ("", "") if site.kind == "vite" else ("__Secure-", "__Host-")
    refresh = cookies[f"{prefixes[0]}refresh_token"]
    assert (refresh["httpOnly"], refresh["sameSite"]) == (True, "Strict")
    assert refresh["secure"] == cookies[f"{prefixes[1]}csrftoken"]["secure"] == bool(prefixes[0])
    assert "eyJ" not in page.evaluate(STORES)


@pytest.mark.expects(REFUSED)
def test_a_user_with_a_second_factor_is_asked_for_the_code(page):
    sends(page, FACTOR)
    page.get_by_label("Code of your authenticator app").fill(totp(SECRET))
    expect(page.get_by_label("Password")).to_be_hidden()
    presses(page, "Sign in")

    is_signed_in(page, FACTOR)


@pytest.mark.expects(REFUSED)
def test_a_wrong_password_is_explained_and_the_address_stays(page, email):
    sends(page, email, "not the password")

    expect(page.get_by_role("alert")).to_contain_text("password")
    expect(page.get_by_label("E-mail")).to_have_value(email)


@pytest.mark.expects(REFUSED)  # the account has to be verified
def test_a_new_user_signs_up_with_the_code_of_the_e_mail(page, site):
    email = f"{site.kind}-new@example.com"
    presses(page, "Create an account")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    presses(page, "Create account")
    page.get_by_label(f"Code from the e-mail to {email}").fill(site.in_e_mail(email, CODE))
    presses(page, "Verify")

    is_signed_in(page, email)


def test_a_tab_follows_the_sign_in_and_the_sign_out_of_another(page, email, context):
    other = context.new_page()
    other.goto("/")
    expect(other.get_by_label("Password")).to_be_visible()
    signs_in(page, email)
    is_signed_in(other, email)
    presses(other, "Sign out")

    for tab in (page, other):
        is_signed_out(tab, "You have signed out.")


def test_two_tabs_that_wake_up_refresh_once(page, email, context):
    context.clock.install()
    page.reload()
    signs_in(page, email)
    other = context.new_page()
    other.goto("/")
    is_signed_in(other, email)
    refreshes = counted(context, "/api/token/refresh/")
    lists = counted(context, "/api/sessions/")
    context.clock.fast_forward("04:35")  # the token lasts 5 minutes, less 30 seconds
    for tab in (page, other):
        tab.evaluate(COMES_BACK)
    page.wait_for_timeout(1000)

    assert len(lists) >= 2
    assert {request.response().status for request in lists} == {200}
    assert len(refreshes) == 1


@pytest.mark.expects(REFUSED)
def test_a_session_ended_on_another_device_is_explained(page, email, site):
    signs_in(page, email)
    access = another_device(site, email)
    _status, sessions = site.call("/api/sessions/", access=access)
    (mine,) = (session["id"] for session in sessions if not session["current"])
    assert site.call(f"/api/sessions/{mine}/", access=access, method="DELETE")[0] < 300
    page.evaluate(COMES_BACK)

    is_signed_out(page, "You were signed out from another device.")


def test_the_list_signs_out_another_device(page, email, site):
    access = another_device(site, email)
    signs_in(page, email)
    page.get_by_role("button", name="Sign out Phone on Android").click()

    expect(page.get_by_role("listitem")).to_have_count(1)
    assert site.call("/api/me/", access=access)[0] == 401


@pytest.mark.expects("ERR_INTERNET_DISCONNECTED")
def test_offline_is_explained_and_the_session_stays(page, email, context):
    signs_in(page, email)
    context.set_offline(True)
    presses(page, "Sign out")
    expect(page.get_by_role("alert")).to_contain_text("You seem to be offline.")
    context.set_offline(False)
    page.reload()

    is_signed_in(page, email)


@pytest.mark.expects("ERR_FAILED")
def test_a_start_without_the_api_continues_when_the_browser_is_online(page, email):
    signs_in(page, email)
    page.route("**/api/**", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("You seem to be offline.")
    page.unroute("**/api/**")
    page.evaluate("dispatchEvent(new Event('online'))")

    is_signed_in(page, email)


def test_a_sign_in_on_djangos_page_is_one_in_the_app(page, email):
    page.get_by_role("link", name="Sign in with a passkey or another account").click()
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    presses(page, "Sign in")
    is_signed_in(page, email)
    presses(page, "Sign out")
    is_signed_out(page, "You have signed out.")
    page.goto("/account/")

    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()


def test_a_link_of_an_e_mail_leads_to_djangos_page(page, email, site):
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_role("button", name="Send the link").click()
    page.goto(site.in_e_mail(email, rf"{site.url}/password/\S+"))

    expect(page.get_by_label("New password", exact=True)).to_be_visible()
