"""Signing up, signing in, staying signed in, and resetting a password, in a browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from token_blacklist.models import OutstandingToken

pytestmark = pytest.mark.browser

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


def test_a_wrong_password_shows_an_error_and_the_next_try_succeeds(visitor, user):
    visitor.sends_credentials(user.email, "wrong")
    expect(visitor.page.get_by_role("alert")).to_have_text(
        "The e-mail address and/or password you specified are not correct."
    )

    visitor.types_credentials(user.email)

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


def test_the_error_for_an_unusable_passkey_is_visible_in_the_viewport(visitor, db):
    visitor.page.goto("/login/")
    visitor.page.evaluate(
        "() => { navigator.credentials.get = () =>"
        " Promise.reject(new DOMException('', 'NotAllowedError')) }"
    )

    visitor.presses("Sign in with a passkey")

    expect(visitor.page.locator("#notice")).to_have_text(re.compile("That did not work"))
