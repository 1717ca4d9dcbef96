"""Signing up, signing in, staying signed in, and resetting a password, in a browser."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from token_blacklist.models import OutstandingToken

pytestmark = pytest.mark.browser

A_LINK = re.compile(r"https?://[^/\s]+(/password/reset/\S+)")
UNAUTHORIZED = pytest.mark.expects("status of 401")


@pytest.fixture
def quick_access_tokens(options):
    """Access tokens that are refreshed during a test."""
    options(ACCESS_TOKEN_LIFETIME=timedelta(seconds=2))


def test_signing_up_opens_the_account_page(visitor, db):
    page = visitor.page
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="Sign up").click()

    visitor.signs_up("ada@example.com", name="Ada")

    visitor.sees_the_account()
    expect(page.get_by_text("ada@example.com", exact=True)).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Ada")
    expect(visitor.sessions).to_have_count(1)
    expect(visitor.sessions).to_contain_text("This device")


@pytest.mark.expects("status of 403")
@pytest.mark.parametrize(
    ("cookies", "sent"),
    [
        ("csrftoken=own", "own"),
        ("csrftoken=planted; __Host-csrftoken=own", "own"),
        ("__Host-csrftoken=own; csrftoken=planted", "own"),
    ],
)
def test_pages_send_the_csrf_cookie_with_the_host_prefix_if_there_are_two(
    visitor, user, cookies, sent
):
    visitor.page.add_init_script(
        f"Object.defineProperty(document, 'cookie', {{ get: () => '{cookies}' }})"
    )

    with visitor.page.expect_request("**/api/token/refresh/") as request:
        visitor.sends_credentials(user.email)

    assert request.value.headers["x-csrftoken"] == sent
    request.value.response()


def test_the_error_for_a_common_password_is_shown_at_its_field(visitor, db):
    visitor.page.goto("/signup/")
    visitor.signs_up("ada@example.com", "password")

    field = visitor.page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("This password is too common"))


def test_signing_up_with_a_known_address_looks_like_any_other_sign_up(
    visitor, others, user, mailoutbox, settings
):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    stranger, seen = others(), []
    for each, email in ((visitor, "ada@example.com"), (stranger, user.email)):
        each.page.goto("/signup/")
        each.signs_up(email, "another long password")
        each.sees("Enter the code from the e-mail")
        seen.append(each.page.locator("main").inner_text().replace(email, ""))

    assert seen[0] == seen[1]
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"], [user.email]]


def test_pages_have_no_sign_up_links_if_sign_up_is_closed(visitor, settings, db):
    settings.ACCOUNT_SIGNUP_ENABLED = False

    visitor.page.goto("/")
    expect(visitor.page.get_by_role("link", name="Sign up")).to_have_count(0)
    visitor.page.goto("/login/")
    expect(visitor.page.get_by_role("link", name="No account yet?")).to_have_count(0)


def test_a_wrong_password_shows_an_error_and_the_next_try_succeeds(visitor, user):
    visitor.sends_credentials(user.email, "wrong")
    expect(visitor.page.get_by_role("alert")).to_have_text(
        "The e-mail address and/or password you specified are not correct."
    )

    visitor.types_credentials(user.email)

    visitor.sees_the_account()


def test_a_rate_limited_sign_in_says_to_wait(visitor, user, settings):
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "1/m/key"}
    visitor.sends_credentials(user.email, "wrong")
    visitor.sees("are not correct")

    visitor.types_credentials(user.email)

    expect(visitor.page.get_by_role("alert")).to_have_text(re.compile("Too many failed login"))


def test_a_signed_in_user_is_redirected_from_the_sign_in_page(visitor, user):
    visitor.sign_in(user)

    visitor.page.goto("/login/")

    visitor.sees_the_account()
    assert OutstandingToken.objects.count() == 1


def test_a_new_page_continues_the_session(visitor, user):
    visitor.sign_in(user)

    visitor.page.goto("/")
    visitor.page.get_by_role("navigation").get_by_role("link", name="Account").click()

    visitor.sees_the_account()


def test_the_access_token_is_refreshed_in_the_background_before_it_expires(
    visitor, user, quick_access_tokens
):
    visitor.sign_in(user)
    with visitor.page.expect_response("**/api/token/refresh/"):
        pass  # the page refreshes by itself

    visitor.saves_the_name("Ada")

    visitor.sees("Saved.")
    assert {request.response().status for request in visitor.asked("/api/me/")} == {200}
    (session,) = OutstandingToken.objects.all()
    assert session.generation >= 2


@UNAUTHORIZED
def test_a_refused_access_token_is_refreshed_and_the_request_repeated(visitor, user):
    visitor.sign_in(user)
    refused = []

    def refuse_once(route):
        if refused:
            route.continue_()
        else:
            refused.append(route.request.headers["authorization"])
            route.continue_(headers={**route.request.headers, "authorization": "Bearer stale"})

    visitor.page.route("**/api/me/", refuse_once)
    visitor.saves_the_name("Ada")

    visitor.sees("Saved.")
    assert [request.response().status for request in visitor.asked("/api/me/")][-2:] == [401, 200]
    user.refresh_from_db()
    assert user.name == "Ada"


def test_a_password_reset_by_email_revokes_the_other_sessions(visitor, others, user, mailoutbox):
    other = others()
    other.sign_in(user)
    page = visitor.page
    page.goto("/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail", exact=True).fill(user.email.upper())
    visitor.presses("Send the link")
    visitor.sees("We have sent you an e-mail.")
    (mail,) = mailoutbox
    assert mail.to == [user.email]

    page.goto(A_LINK.search(mail.body)[1])
    page.get_by_label("New password", exact=True).fill("a new long password")
    page.get_by_label("New password (again)", exact=True).fill("a new long password")
    visitor.presses("Change password")
    visitor.sees("Your password has been changed")
    visitor.sign_in(user, "a new long password")

    expect(visitor.sessions).to_have_count(1)
    visitor.presses("Sign out")
    visitor.sees("You are signed out.")
    page.goto(A_LINK.search(mail.body)[1])
    visitor.sees("The password reset link was invalid")


def test_the_error_for_an_unusable_passkey_is_visible_in_the_viewport(visitor, db):
    visitor.page.goto("/login/")
    visitor.page.evaluate(
        "() => { navigator.credentials.get = () =>"
        " Promise.reject(new DOMException('', 'NotAllowedError')) }"
    )

    visitor.presses("Sign in with a passkey")

    expect(visitor.page.locator("#notice")).to_have_text(re.compile("That did not work"))
