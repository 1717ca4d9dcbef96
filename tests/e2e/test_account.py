"""The account page: what was done is said in view, and sessions can be told apart."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from playwright.sync_api import expect

from tests.support.factories import PASSWORD, OutstandingTokenFactory

pytestmark = pytest.mark.browser

PHONE = "Mozilla/5.0 (iPhone) Version/17.0 Safari/604.1"


@pytest.fixture
def on_a_phone(others):
    return others(viewport={"width": 360, "height": 740})


def test_what_a_button_did_is_said_in_view(on_a_phone, user, device_of):
    assert device_of(user, PHONE).log_in().status_code == 200
    on_a_phone.sign_in(user)

    on_a_phone.sessions.get_by_role("button", name="Sign out").click()

    words = on_a_phone.page.get_by_text("Signed out: ")
    expect(words).to_be_in_viewport(ratio=1)
    on_a_phone.page.mouse.wheel(0, -5000)
    expect(words).to_be_in_viewport(ratio=1)


@pytest.mark.expects("status of 401")
def test_what_a_form_did_is_said_at_its_button(on_a_phone, user):
    on_a_phone.sends_credentials(user.email, "wrong")

    alert, button = (on_a_phone.page.get_by_role(role) for role in ("alert", "main"))
    expect(alert).to_be_in_viewport(ratio=1)
    above = alert.bounding_box()
    below = button.get_by_role("button", name="Sign in").bounding_box()
    assert 0 < below["y"] - (above["y"] + above["height"]) < 40


def test_the_buttons_tell_sessions_apart_by_device_place_and_time(visitor, user):
    for minutes, address in ((5, "192.0.2.1"), (5, "192.0.2.2"), (90, "192.0.2.1")):
        OutstandingTokenFactory(
            user=user,
            user_agent=PHONE,
            ip_address=address,
            created_at=timezone.now() - timedelta(minutes=minutes),
        )
    visitor.sign_in(user)

    names = [
        button.get_attribute("aria-label")
        for button in visitor.sessions.get_by_role("button").all()
    ]

    assert len(set(names)) == 3
    pattern = r"Sign out: .+ on iOS, 192\.0\.2\.\d, .+ \d+:\d\d.*"
    assert all(re.fullmatch(pattern, name) for name in names), names


def test_five_sessions_are_listed_and_all_of_them_on_demand(visitor, user):
    OutstandingTokenFactory.create_batch(6, user=user)
    visitor.sign_in(user)

    expect(visitor.sessions).to_have_count(5)
    expect(visitor.sessions.first).to_contain_text("This device")
    visitor.presses("Show all 7 sessions")

    expect(visitor.sessions).to_have_count(7)
    expect(visitor.sessions.nth(5).get_by_role("button")).to_be_focused()
    expect(visitor.page.get_by_role("button", name="Show all")).to_be_hidden()


def test_the_profile_and_the_password_come_before_the_sessions(visitor, user):
    visitor.sign_in(user)

    headings = visitor.page.get_by_role("heading", level=2).all_inner_texts()

    assert headings == ["About you", "Change your password", "Your sessions", "All devices"]


def test_a_typed_password_can_be_looked_at_and_is_sent_as_one(visitor, user):
    visitor.page.goto("/login/")
    visitor.page.get_by_label("E-mail address").fill(user.email)
    field = visitor.page.get_by_label("Password")
    field.fill(PASSWORD)

    visitor.presses("Show password")
    expect(field).to_have_attribute("type", "text")
    visitor.presses("Hide password")
    expect(field).to_have_attribute("type", "password")
    visitor.presses("Show password")
    visitor.page.evaluate(
        "addEventListener('submit', () => { window.sentAs = "
        "document.getElementById('login-password').type })"
    )
    visitor.page.route("**/api/token/", lambda route: None)
    visitor.presses("Sign in")

    assert visitor.page.evaluate("window.sentAs") == "password"


@pytest.mark.parametrize("address", ["/signup/", "/account/", "reset"])
def test_the_rules_for_a_password_are_checked_while_it_is_typed(visitor, user, address):
    page = visitor.page
    if address == "reset":
        uid = urlsafe_base64_encode(str(user.pk).encode())
        address = f"/password/reset/{uid}/{default_token_generator.make_token(user)}/"
    if address == "/account/":
        visitor.sign_in(user)
    else:
        page.goto(address)
    field = page.get_by_label(re.compile("^(New password|Password)$"))
    long, numeric = page.get_by_text("at least 8 characters"), page.get_by_text("entirely numeric")

    field.press_sequentially("1234")
    expect(long).not_to_have_attribute("data-met", re.compile(".*"))
    field.blur()
    expect(long).to_have_attribute("data-met", "false")
    expect(numeric).to_have_attribute("data-met", "false")
    field.press_sequentially("abcd")
    expect(long).to_have_attribute("data-met", "true")
    expect(numeric).to_have_attribute("data-met", "true")
    field.fill("")
    expect(long).not_to_have_attribute("data-met", re.compile(".*"))


def test_the_address_that_was_typed_is_there_on_the_page_for_a_new_password(visitor, db):
    visitor.page.goto("/login/")
    visitor.page.get_by_label("E-mail address").fill("ada@example.com")
    visitor.page.get_by_role("link", name="Forgot your password?").click()

    expect(visitor.page.get_by_label("E-mail address")).to_have_value("ada@example.com")
    visitor.is_at("/password/reset/")
    visitor.page.reload()
    expect(visitor.page.get_by_label("E-mail address")).to_have_value("")
