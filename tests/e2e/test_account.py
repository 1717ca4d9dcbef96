"""The account page in a browser: messages, sessions, sign-in methods, password fields."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone
from playwright.sync_api import expect

from tests.support.factories import PASSWORD, OutstandingTokenFactory

pytestmark = pytest.mark.browser

PHONE = "Mozilla/5.0 (iPhone) Version/17.0 Safari/604.1"


@pytest.fixture
def on_a_phone(others):
    return others(viewport={"width": 360, "height": 740})


def test_the_message_after_a_button_is_visible_in_the_viewport(on_a_phone, user, device_of):
    assert device_of(user, PHONE).log_in().status_code == 200
    on_a_phone.sign_in(user)

    on_a_phone.sessions.get_by_role("button", name="Sign out").click()

    words = on_a_phone.page.get_by_text("Signed out: ")
    expect(words).to_be_in_viewport(ratio=1)
    on_a_phone.page.mouse.wheel(0, -5000)
    expect(words).to_be_in_viewport(ratio=1)


def test_the_message_after_a_form_is_next_to_its_button(on_a_phone, user):
    on_a_phone.sends_credentials(user.email, "wrong")

    alert, button = (on_a_phone.page.get_by_role(role) for role in ("alert", "main"))
    expect(alert).to_be_visible()
    above = alert.bounding_box()
    below = button.get_by_role("button", name="Sign In", exact=True).bounding_box()
    assert 0 < below["y"] - (above["y"] + above["height"]) < 40


def test_the_buttons_have_distinct_names_by_device_address_and_time(visitor, user):
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


def test_the_sign_in_methods_are_above_the_sessions(visitor, user):
    visitor.sign_in(user)

    headings = visitor.page.get_by_role("heading", level=2).all_inner_texts()

    assert headings == ["Signing in", "About you", "Your sessions", "All devices"]


def test_the_account_page_shows_the_state_of_each_sign_in_method_and_links_to_it(visitor, user):
    visitor.sign_in(user)
    methods = visitor.page.locator(".link-list li")
    expect(methods).to_have_text(
        [
            re.compile(r"E-mail address.+@example.com\s+Not verified", re.DOTALL),
            re.compile(r"Password.+Set", re.DOTALL),
            re.compile(r"Two-factor authentication.+Off", re.DOTALL),
            re.compile(r"Passkeys and security keys.+None", re.DOTALL),
            re.compile(r"Connected accounts.+None", re.DOTALL),
        ]
    )
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    visitor.page.reload()
    expect(methods.nth(0)).to_contain_text("Verified")
    expect(methods.nth(2)).to_contain_text("On")
    expect(methods.nth(3)).to_contain_text("10 left")

    for name in ("E-mail address", "Password", "Two-factor", "Passkeys", "Connected"):
        visitor.page.get_by_role("main").get_by_role("link", name=name).click()
        visitor.page.get_by_role("main").get_by_role("link", name="Your account").click()
        visitor.sees_the_account()


def test_without_javascript_the_account_page_says_what_is_unavailable(others, user):
    visitor = others(java_script_enabled=False)
    visitor.sends_credentials(user.email)

    expect(visitor.page.locator("noscript p")).to_contain_text("need JavaScript")
    visitor.sees(user.email)
    expect(visitor.page.get_by_role("heading", name="Your sessions")).to_be_hidden()


def test_a_shown_password_is_submitted_as_a_password_field(visitor, user):
    visitor.page.goto("/login/")
    visitor.page.get_by_label("Email", exact=True).fill(user.email)
    field = visitor.page.get_by_label("Password", exact=True)
    field.fill(PASSWORD)

    visitor.presses("Show password")
    expect(field).to_have_attribute("type", "text")
    visitor.presses("Hide password")
    expect(field).to_have_attribute("type", "password")
    visitor.presses("Show password")
    visitor.page.evaluate(
        "addEventListener('submit', (event) => { event.preventDefault();"
        " window.sentAs = document.getElementById('id_password').type })"
    )
    visitor.presses("Sign In")

    assert visitor.page.evaluate("window.sentAs") == "password"


def test_a_validator_without_a_help_text_is_not_in_the_list_of_rules(visitor, db):
    visitor.page.goto("/signup/")

    rules = visitor.page.locator(".help li:visible")
    expect(rules).to_have_count(4)
    assert all(rules.all_inner_texts())
