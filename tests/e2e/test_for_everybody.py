"""Every page for everybody: by keyboard, on a phone, in the dark, without JavaScript, by axe."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.admin import OUTSTANDING, Admin
from tests.support.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.browser

OPEN = ["/", "/login/", "/signup/", "/password/reset/", "/password/reset/sent/"]
ENDS = ["/password/reset/done/", "/password/reset/MQ/used-up/", "/nothing-is-here/"]
SCHEMES = ["light", "dark"]
# The colour behind an element in red, green and blue, however the stylesheet computes it.
PIXEL = """element => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = getComputedStyle(element).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""
ACCENTS = ["#3b5bdb", "#ffd43b", "#101010"]
NOT_FOUND = pytest.mark.expects("status of 404")


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
def test_axe_finds_nothing_on_any_page(visitor, user, settings, accent):
    settings.ACCENT_COLOR = accent
    page = visitor.page
    found = []
    for path in OPEN + ENDS:
        page.goto(path)
        found += faults_in_both_schemes(page)
    visitor.sign_in(user)
    expect(visitor.sessions).to_have_count(1)
    found += faults_in_both_schemes(page)

    assert not found


# The corners of sRGB, where a lightness and its luminance differ most.
@pytest.mark.parametrize(
    "accent",
    ["#000000", "#0000ff", "#00ff00", "#00ffff", "#ff0000", "#ff00ff", "#ffff00", "#ffffff"],
)
def test_any_colour_can_be_read_and_written_on(visitor, db, settings, accent):
    settings.ACCENT_COLOR = accent

    visitor.page.goto("/login/")

    assert not faults_in_both_schemes(visitor.page)


@pytest.mark.parametrize("accent", ACCENTS)
def test_any_colour_can_be_read_in_the_admin(page, db, settings, accent):
    settings.ACCENT_COLOR = accent
    user = UserFactory(admin=True)
    found = []

    def look(path):
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.goto(path)  # the theme reads the scheme once
            found.extend(faults(page, "[class*=primary]", runOnly=["color-contrast"]))

    look("/admin/login/")
    Admin(page).sign_in(user)
    for path in ("/admin/", OUTSTANDING, f"/admin/accounts/user/{user.pk}/change/"):
        look(path)

    assert not found


@pytest.mark.expects("status of 40[01]")
def test_axe_finds_nothing_where_a_page_says_what_is_wrong(visitor, user):
    visitor.sends_credentials(user.email, "wrong")
    visitor.sees("is wrong")
    found = faults(visitor.page)
    visitor.sign_in(user)
    visitor.page.get_by_label("Current password").fill("wrong")
    visitor.page.get_by_label("New password").fill("a new long password")
    visitor.presses("Change the password")
    visitor.sees("This is not your current password.")
    found += faults(visitor.page)

    assert not found


@NOT_FOUND
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_phone_shows_every_page_without_scrolling_sideways(others, user, scheme):
    phone = others(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    user.email = f"{'a-very-long-name-' * 3}@{'example-' * 4}x.com"
    user.save()
    wide = {}
    for path in OPEN + ENDS:
        phone.page.goto(path)
        wide[path] = phone.page.evaluate("document.documentElement.scrollWidth")
    phone.sign_in(user)
    expect(phone.sessions).to_have_count(1)
    wide["/account/"] = phone.page.evaluate("document.documentElement.scrollWidth")

    assert wide == dict.fromkeys(wide, 360)


def test_all_can_be_done_by_the_keyboard_alone(visitor, others, user):
    others().sign_in(user)
    keyboard, page = visitor.page.keyboard, visitor.page

    def tab_to(target):
        for _step in range(30):
            if target.evaluate("element => element === document.activeElement"):
                # What has the keyboard must show it.
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
    tab_to(page.get_by_label("E-mail address"))
    keyboard.type(user.email)
    keyboard.press("Tab")
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


@pytest.mark.parametrize("path", ["/login/", "/signup/", "/account/"])
def test_without_javascript_a_page_says_what_to_do_and_sends_no_password(others, db, path):
    visitor = others(java_script_enabled=False)

    visitor.page.goto(path)

    expect(visitor.page.locator("noscript p")).to_contain_text("This page needs JavaScript")
    for button in visitor.page.locator("[method=post] [type=submit]").all():
        expect(button).to_be_disabled()


def test_without_javascript_a_password_can_still_be_replaced(others, user, mailoutbox):
    visitor = others(java_script_enabled=False)
    visitor.page.goto("/login/")
    visitor.page.get_by_role("link", name="Choose a new password").click()
    visitor.page.get_by_label("E-mail address").fill(user.email)
    visitor.presses("Send the link")

    visitor.sees("We sent an e-mail to the address")
    assert len(mailoutbox) == 1


@NOT_FOUND
def test_no_page_has_anything_inline_and_all_have_the_strict_policy(visitor, user):
    for path in OPEN + ENDS + ["/account/"]:
        answer = visitor.page.goto(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        inline = visitor.page.locator("script:not([src]), style, [style], [onclick], [onsubmit]")
        expect(inline).to_have_count(0)


def test_the_product_has_its_name_and_colour_on_every_page(visitor, settings, db):
    settings.SITE_NAME, settings.ACCENT_COLOR = "Acme <Portal> & Co", "#0b7a3b"

    visitor.page.goto("/login/")

    expect(visitor.page.get_by_role("link", name="Acme <Portal> & Co")).to_be_visible()
    expect(visitor.page).to_have_title("Sign in · Acme <Portal> & Co")
    button = visitor.page.get_by_role("button", name="Sign in")
    assert button.evaluate(PIXEL) == [11, 122, 59]


def test_what_a_person_typed_is_shown_as_text(visitor, others, db):
    mallory = UserFactory(name="<img src=x onerror=alert(1)>")
    others(user_agent="<script>alert(2)</script>").sign_in(mallory)

    visitor.sign_in(mallory)

    expect(visitor.page.get_by_label("Name")).to_have_value(mallory.name)
    expect(visitor.sessions).to_have_count(2)
    expect(visitor.page.locator("main img, main script")).to_have_count(0)
