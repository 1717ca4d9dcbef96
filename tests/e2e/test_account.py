"""The account page in a browser: messages, sessions, sign-in methods, password fields."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.support.factories import PASSWORD, OutstandingTokenFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def on_a_phone(others):
    return others(viewport={"width": 360, "height": 740})


# The buttons and links in the viewport that something else covers.
COVERED = """() => [...document.querySelectorAll("a, button")].filter((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    return width && top && !element.contains(top) && !top.contains(element);
}).map((element) => element.outerHTML)"""


def test_the_message_after_a_button_takes_the_place_of_its_session_and_covers_nothing(
    on_a_phone, user
):
    OutstandingTokenFactory.create_batch(8, user=user)
    on_a_phone.sign_in(user)

    on_a_phone.sessions.get_by_role("button").nth(5).click()

    expect(on_a_phone.page.get_by_text("Signed out: ")).to_be_in_viewport(ratio=1)
    expect(on_a_phone.sessions).to_have_count(8)
    assert on_a_phone.page.evaluate(COVERED) == []


def test_a_message_goes_by_itself_but_not_while_it_is_hovered_or_focused(visitor, others, user):
    others().sign_in(user)
    visitor.sign_in(user)
    visitor.page.clock.install()
    visitor.page.reload()
    visitor.presses("Sign out everywhere else")
    message = visitor.page.get_by_text("1 other device was signed out.")

    message.hover()
    visitor.page.clock.run_for(30_000)
    expect(message).to_be_visible()
    visitor.page.mouse.move(0, 0)
    visitor.page.get_by_role("button", name="Close").focus()
    visitor.page.clock.run_for(30_000)
    expect(message).to_be_visible()
    visitor.page.get_by_role("button", name="Save").focus()
    visitor.page.clock.run_for(30_000)

    expect(message).to_be_hidden()


def test_the_message_after_a_form_is_next_to_its_button(on_a_phone, user):
    on_a_phone.sends_credentials(user.email, "wrong")

    alert, button = (on_a_phone.page.get_by_role(role) for role in ("alert", "main"))
    expect(alert).to_be_visible()
    above = alert.bounding_box()
    below = button.get_by_role("button", name="Sign in", exact=True).bounding_box()
    assert 0 < below["y"] - (above["y"] + above["height"]) < 40


@pytest.mark.parametrize(
    ("locale", "ago"), [("en", "5 minutes ago"), ("de", "vor 5 Minuten"), ("es", "hace 5 minutos")]
)
def test_a_session_has_its_last_activity_in_words_and_the_exact_time_with_its_zone(
    others, user, locale, ago
):
    OutstandingTokenFactory(
        user=user, refreshed_at=timezone.now() - timedelta(minutes=5, seconds=30)
    )
    visitor = others(locale=locale, timezone_id="Asia/Tokyo")
    visitor.page.goto("/login/")
    visitor.page.locator("#id_login").fill(user.email)
    visitor.page.locator("#id_password").fill(PASSWORD)
    visitor.page.locator("form.card [type=submit]").click()

    time = visitor.sessions.nth(1).locator("time").first

    expect(time).to_contain_text(ago)
    expect(time).to_have_attribute("title", re.compile(r"\d{4}.+\d+:\d\d.+(GMT\+9|JST)"))
    assert f"({time.get_attribute('title')})" in time.text_content()
    assert time.get_attribute("datetime").endswith("Z")


def test_without_javascript_the_account_page_says_what_is_unavailable(others, user):
    visitor = others(java_script_enabled=False)
    visitor.sends_credentials(user.email)

    expect(visitor.page.locator("noscript p")).to_contain_text("need JavaScript")
    visitor.sees(user.email)
    expect(visitor.page.get_by_role("heading", name="Your sessions")).to_be_hidden()


def test_a_shown_password_is_submitted_as_a_password_field(visitor, user):
    visitor.page.goto("/login/")
    visitor.page.get_by_label("E-mail", exact=True).fill(user.email)
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
    visitor.presses("Sign in")

    assert visitor.page.evaluate("window.sentAs") == "password"
