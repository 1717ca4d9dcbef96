"""Accessibility of every page: axe, contrast, keyboard, phone, no JavaScript."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.admin import OUTSTANDING, Admin
from tests.support.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.browser

ENTRANCES = [
    "/login/",
    "/login/?signed_out=elsewhere",
    "/signup/",
    "/password/reset/",
    "/password/reset/done/",
    "/password/reset/key/done/",
    "/password/reset/key/1-used-up/",
    "/confirm-email/",
    "/confirm-email/used-up/",
    "/inactive/",
    "/3rdparty/login/cancelled/",
    "/3rdparty/login/error/",
    "/dummy/login/",
]
OPEN = ["/", *ENTRANCES]
ENDS = ["/nothing-is-here/"]
INSIDE = [
    "/email/",
    "/password/change/",
    "/2fa/",
    "/2fa/totp/activate/",
    "/2fa/totp/deactivate/",
    "/2fa/recovery-codes/",
    "/2fa/recovery-codes/generate/",
    "/2fa/webauthn/",
    "/2fa/webauthn/add/",
    "/3rdparty/",
    "/logout/",
    "/reauthenticate/",
    "/2fa/reauthenticate/",
]
SCHEMES = ["light", "dark"]
# The color behind an element in red, green and blue, as the browser computes it.
ACCENTS = ["#3b5bdb", "#ffd43b"]
NOT_FOUND = pytest.mark.expects("status of 40[14]")


def confirm(page):
    """Enter the password again, as the pages for a second factor require."""
    page.goto("/reauthenticate/?next=/account/")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("form.card [type=submit]").click()
    page.wait_for_url("**/account/")


def enter(visitor, user):
    """Sign in with a recovery code."""
    visitor.sends_credentials(user.email)
    visitor.page.get_by_label("Code", exact=True).fill(next(user.codes))
    visitor.presses("Sign in")
    expect(visitor.sessions).to_have_count(1)
    confirm(visitor.page)
    expect(visitor.sessions).to_have_count(1)


def faults(page, context=None, **options):
    results = Axe().run(page, context, {"resultTypes": ["violations"], **options})
    return [
        f"{page.url}: {found['id']}: {node['html']}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


def faults_in_both_schemes(page):
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {fault}" for fault in faults(page)]
    return found


@NOT_FOUND
@pytest.mark.parametrize("accent", ACCENTS)
def test_axe_finds_nothing_on_any_page(visitor, with_all, settings, accent):
    settings.ACCENT_COLOR = accent
    page = visitor.page
    found = []
    for path in OPEN + ENDS:
        page.goto(path)
        found += faults_in_both_schemes(page)
    visitor.sends_credentials(with_all.email)
    expect(page.get_by_label("Code", exact=True)).to_be_visible()
    found += faults_in_both_schemes(page)
    visitor.presses("Cancel")
    enter(visitor, with_all)
    found += faults_in_both_schemes(page)
    for path in INSIDE:
        page.goto(path)
        found += faults_in_both_schemes(page)

    assert not found


# The corners of sRGB, where a lightness and its luminance differ most.
@pytest.mark.parametrize(
    "accent",
    ["#000000", "#0000ff", "#ff00ff", "#ffff00", "#ffffff"],
)
def test_any_accent_color_has_enough_contrast_on_pages(visitor, db, settings, accent):
    settings.ACCENT_COLOR = accent

    visitor.page.goto("/login/")

    assert not faults_in_both_schemes(visitor.page)


def test_a_light_accent_color_has_enough_contrast_in_the_admin(page, db, settings):
    settings.ACCENT_COLOR = "#ffd43b"
    user = UserFactory(admin=True)
    found = []

    def look(path):
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.goto(path)  # the theme reads the scheme once
            found.extend(faults(page, "[class*=primary]", runOnly=["color-contrast"]))

    Admin(page).sign_in(user)
    for path in ("/admin/", OUTSTANDING, f"/admin/accounts/user/{user.pk}/change/"):
        look(path)

    assert not found


def test_axe_finds_nothing_on_pages_with_errors(visitor, user):
    visitor.sends_credentials(user.email, "wrong")
    visitor.sees("are not correct")
    found = faults(visitor.page)
    visitor.sign_in(user)
    visitor.changes_the_password("wrong", "a new long password")
    visitor.sees("Please type your current password.")
    found += faults(visitor.page)

    assert not found


@NOT_FOUND
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_phone_shows_every_page_without_scrolling_sideways(others, with_all, scheme):
    phone = others(viewport={"width": 320, "height": 740}, color_scheme=scheme)
    user = with_all
    user.email = f"{'a-very-long-name-' * 3}@{'example-' * 4}x.com"
    user.save()
    user.emailaddress_set.filter(primary=True).update(email=user.email)
    wide = {}
    for path in OPEN + ENDS:
        phone.page.goto(path)
        wide[path] = phone.page.evaluate("document.documentElement.scrollWidth")
    enter(phone, user)
    wide["/account/"] = phone.page.evaluate("document.documentElement.scrollWidth")
    for path in INSIDE:
        phone.page.goto(path)
        wide[path] = phone.page.evaluate("document.documentElement.scrollWidth")

    assert wide == dict.fromkeys(wide, 320)


def test_everything_can_be_done_with_the_keyboard_only(visitor, others, user):
    others().sign_in(user)
    keyboard, page = visitor.page.keyboard, visitor.page

    def tab_to(target):
        for _step in range(30):
            if target.evaluate("element => element === document.activeElement"):
                # The focused element must be visibly focused.
                assert (
                    target.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
                )
                return
            keyboard.press("Tab")
        pytest.fail(f"the keyboard does not get to {target}")

    page.goto("/")
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page.get_by_role("navigation").get_by_role("link", name="Sign in"))
    keyboard.press("Enter")
    page.wait_for_url("**/login/")
    tab_to(page.get_by_label("E-mail", exact=True))
    keyboard.type(user.email)
    tab_to(page.get_by_label("Password", exact=True))
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    visitor.sees_the_account()
    expect(visitor.sessions).to_have_count(2)
    tab_to(visitor.sessions.get_by_role("button"))
    keyboard.press("Enter")
    expect(visitor.sessions).to_have_count(1)
    tab_to(page.get_by_role("button", name="Sign out everywhere", exact=True))
    keyboard.press("Space")
    tab_to(page.get_by_role("button", name="Yes, sign out"))
    keyboard.press("Enter")

    visitor.sees("You are signed out.")


def test_without_javascript_signing_up_and_resetting_a_password_work(others, db, mailoutbox):
    visitor = others(java_script_enabled=False)
    visitor.page.goto("/signup/")
    visitor.signs_up("ada@example.com")
    expect(visitor.page.get_by_role("heading", name="Your account")).to_be_visible()
    visitor.presses("Sign out")
    visitor.sees("You are signed out.")
    visitor.page.get_by_role("link", name="Forgot your password?").click()
    visitor.page.get_by_label("E-mail", exact=True).fill("ada@example.com")
    visitor.presses("Send the link")

    visitor.sees("We have sent you an e-mail.")
    assert "/password/reset/key/" in mailoutbox[-1].body


@NOT_FOUND
def test_every_page_has_the_strict_csp_and_nothing_inline(visitor, with_all):
    def look(paths):
        for path in paths:
            policy = visitor.page.goto(path).headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            data = "script[type='application/json']"  # not run
            inline = f"script:not([src], {data}), style, [style], [onclick], [onsubmit]"
            expect(visitor.page.locator(inline)).to_have_count(0)

    look(OPEN + ENDS)
    enter(visitor, with_all)
    look(["/account/", *INSIDE])


def test_user_input_is_escaped(visitor, others, db):
    mallory = UserFactory(name="<img src=x onerror=alert(1)>")
    others(user_agent="<script>alert(2)</script>").sign_in(mallory)

    visitor.sign_in(mallory)

    expect(visitor.page.get_by_label("Name")).to_have_value(mallory.name)
    expect(visitor.sessions).to_have_count(2)
    expect(visitor.page.locator("main img, main script")).to_have_count(0)
