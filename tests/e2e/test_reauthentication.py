"""Sensitive buttons in a browser whose sign-in is too old for them."""

import pytest
from playwright.sync_api import expect

from tests.support.factories import PASSWORD
from token_blacklist.models import BlacklistedToken
from token_blacklist.tokens import RefreshToken

pytestmark = [pytest.mark.browser, pytest.mark.expects("status of 401")]


@pytest.fixture
def phone(others, user):
    phone = others()
    phone.sign_in(user)
    return phone


def signs_in_an_hour_ago(visitor, user):
    visitor.sign_in(user)
    (cookie,) = [each for each in visitor.context.cookies() if each["name"] == "refresh_token"]
    token = RefreshToken.authentic(cookie["value"])
    token["auth_time"] -= 3600
    visitor.context.add_cookies([{**cookie, "value": str(token)}])
    visitor.page.reload()
    visitor.sees_the_account()


def confirms(visitor):
    visitor.page.wait_for_url("**/reauthenticate/**")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.keyboard.press("Enter")


def test_signing_out_everywhere_else_asks_for_the_password_and_then_does_it(visitor, phone, user):
    signs_in_an_hour_ago(visitor, user)

    visitor.presses("Sign out everywhere else")
    confirms(visitor)

    visitor.sees("1 other device was signed out.")
    expect(visitor.sessions).to_have_count(1)
    assert BlacklistedToken.objects.get().reason == "logout_all"
    visitor.is_at("/account/")


def test_signing_out_everywhere_asks_for_the_password_and_then_does_it(visitor, phone, user):
    signs_in_an_hour_ago(visitor, user)

    visitor.presses("Sign out everywhere")
    visitor.presses("Yes, sign out")
    confirms(visitor)

    visitor.sees("You are signed out.")
    assert BlacklistedToken.objects.count() == 2


def test_leaving_without_the_password_does_nothing(visitor, phone, user):
    signs_in_an_hour_ago(visitor, user)
    visitor.presses("Sign out everywhere else")
    visitor.page.wait_for_url("**/reauthenticate/**")

    visitor.page.goto("/account/")
    visitor.sees_the_account()
    visitor.page.goto("/account/#end-others")
    visitor.page.reload()
    visitor.sees_the_account()

    expect(visitor.sessions).to_have_count(2)
    assert not BlacklistedToken.objects.exists()
