"""The account page in a browser: messages, sessions, sign-in methods, password fields."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Activity
from tests.support.factories import PASSWORD, OutstandingTokenFactory

pytestmark = pytest.mark.browser

PHONE = "Mozilla/5.0 (iPhone) Version/17.0 Safari/604.1"


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


def test_a_message_can_be_closed(visitor, others, user):
    others().sign_in(user)
    visitor.sign_in(user)
    visitor.sessions.get_by_role("button").click()

    visitor.presses("Close")

    expect(visitor.page.get_by_text("Signed out: ")).to_be_hidden()
    expect(visitor.page.locator("#sessions > li")).to_have_count(1)
    expect(visitor.page.locator("#sessions")).to_be_focused()


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


def test_ten_sessions_are_listed_and_all_of_them_on_demand(visitor, user):
    OutstandingTokenFactory.create_batch(11, user=user)
    visitor.sign_in(user)

    expect(visitor.sessions).to_have_count(10)
    expect(visitor.sessions.first).to_contain_text("This device")
    visitor.presses("Show all 12 sessions")

    expect(visitor.sessions).to_have_count(12)
    expect(visitor.sessions.nth(10).get_by_role("button")).to_be_focused()
    expect(visitor.page.get_by_role("button", name="Show all")).to_be_hidden()


def test_what_happened_lately_lists_ten_and_all_of_it_on_demand(visitor, user):
    at = timezone.now() - timedelta(minutes=5)
    Activity.objects.bulk_create(
        Activity(user=user, kind="support", at=at, session_id=str(n), note="Stolen <b>phone")
        for n in range(12)
    )
    visitor.sign_in(user)
    rows = visitor.page.locator("#activity > li")

    expect(rows).to_have_count(10)
    expect(rows.first).to_contain_text("Signed out by support")
    expect(rows.first).to_contain_text("5 minutes ago")
    expect(rows.first).to_contain_text("Stolen <b>phone")
    visitor.page.locator("#show-all-activity").click()
    expect(rows).to_have_count(12)
    expect(visitor.page.locator("#activity")).to_be_focused()


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


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_buttons_of_the_sessions_are_in_one_column(others, user, width):
    for agent, address in ((PHONE, "192.0.2.1"), ("Acme Portal of the world/1", "2001:db8::1:2:3")):
        OutstandingTokenFactory(user=user, user_agent=agent, ip_address=address)
    visitor = others(viewport={"width": width, "height": 740})
    visitor.sign_in(user)

    boxes = [button.bounding_box() for button in visitor.sessions.get_by_role("button").all()]
    rows = [row.bounding_box() for row in visitor.sessions.all()][1:]

    assert len({box["x"] for box in boxes}) == 1
    ends = [row["y"] + row["height"] - box["y"] for row, box in zip(rows, boxes, strict=True)]
    assert all(end > box["height"] for end, box in zip(ends, boxes, strict=True))


def test_show_password_is_above_a_field_with_an_error_and_its_errors_are_below(visitor, db):
    visitor.page.goto("/signup/")
    visitor.signs_up("ada@example.com", "12345")
    field = visitor.page.locator("#id_password1").bounding_box()
    button = visitor.page.get_by_role("button", name="Show password").bounding_box()
    errors = visitor.page.locator("#id_password1_error")

    assert button["y"] + button["height"] <= field["y"]
    assert errors.bounding_box()["y"] >= field["y"] + field["height"]
    expect(errors.locator("li")).to_have_count(3)
    expect(visitor.page.get_by_text("Your password must contain at least")).to_be_hidden()


def test_the_skip_link_is_invisible_at_any_text_size_until_it_is_focused(visitor, db):
    visitor.page.goto("/login/")
    visitor.page.evaluate("document.documentElement.style.fontSize = '200%'")
    link = visitor.page.get_by_role("link", name="Skip to the content")
    assert link.bounding_box()["height"] <= 1

    link.focus()

    assert link.bounding_box()["height"] > 40


def test_the_sign_in_methods_are_above_the_sessions(visitor, user):
    visitor.sign_in(user)

    headings = visitor.page.get_by_role("heading", level=2).all_inner_texts()

    assert headings == [
        *("Signing in", "About you", "Your sessions", "All devices"),
        *("What happened lately", "Your data"),
    ]


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


def test_a_validator_without_a_help_text_is_not_in_the_list_of_rules(visitor, db):
    visitor.page.goto("/signup/")

    rules = visitor.page.locator(".help li:visible")
    expect(rules).to_have_count(4)
    assert all(rules.all_inner_texts())
