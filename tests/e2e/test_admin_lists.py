"""The admin in a browser: how support finds a session and ends it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Permission
from playwright.sync_api import expect

from config.admin.statistics import overview
from tests.support.admin import BLACKLISTED, OUTSTANDING, Admin
from tests.support.factories import BlacklistedTokenFactory, OutstandingTokenFactory, UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken

pytestmark = pytest.mark.browser


@pytest.fixture
def support(db):
    """A staff user who may view both lists and end sessions, and nothing else."""
    names = ("view_outstandingtoken", "view_blacklistedtoken", "add_blacklistedtoken")
    staff = UserFactory(email="support@example.com", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=names))
    return staff


def test_the_lists_follow_a_session_from_sign_in_to_sign_out(admin, support, user, device_of):
    admin.sign_in(support)
    admin.open("Sessions")
    expect(admin.rows).to_have_count(1)  # the sign-in of support
    expect(admin.rows_of(support)).to_have_count(1)
    device = device_of(user)

    assert device.log_in().status_code == 200
    admin.page.reload()
    expect(admin.rows_of(user)).to_have_count(1)
    expect(admin.rows_of(user)).to_contain_text(user.email)
    expect(admin.rows_of(user).locator(".field-state")).to_have_text("live")
    expect(admin.rows_of(user).locator(".field-refreshed")).to_have_text("-")

    assert device.refresh().status_code == 200
    admin.page.reload()
    expect(admin.rows_of(user)).to_have_count(1)
    expect(admin.rows_of(user).locator(".field-refreshed")).not_to_have_text("-")

    assert device.log_out().status_code == 200
    admin.page.reload()
    expect(admin.rows_of(user)).to_have_count(1)
    expect(admin.rows_of(user).locator(".field-state")).to_have_text("signed out")
    admin.open("Ended sessions")
    expect(admin.rows_of(user)).to_have_count(1)
    expect(admin.rows_of(user)).to_contain_text(user.email)
    expect(admin.rows_of(user).locator(".field-reason")).to_have_text("signed out")


def test_support_finds_a_session_by_email_address_and_ends_it_with_one_click(
    admin, support, user, device_of
):
    own, attacker, neighbor = (
        device_of(user),
        device_of(user, "Thief/1.0"),
        device_of(UserFactory()),
    )
    for device in (own, neighbor, attacker):
        assert device.log_in().status_code == 200
    assert attacker.refresh().status_code == 200

    admin.sign_in(support)
    admin.open("Sessions")
    admin.search(user.email)
    expect(admin.rows).to_have_count(2)
    admin.rows.first.get_by_role("button", name="End:").click()  # the latest

    expect(admin.page.get_by_text(f"Ended the session of {user.email}: ")).to_be_visible()
    assert attacker.me().status_code == 401
    assert attacker.refresh().status_code == 401
    for device in (own, neighbor):
        assert device.refresh().status_code == 200
        assert device.me().status_code == 200
    entry = BlacklistedToken.objects.get()
    assert (entry.reason, entry.blacklisted_by) == ("admin", support)


def test_adding_a_blacklisted_token_signs_that_device_out(admin, support, user, device_of):
    own, attacker = device_of(user), device_of(user, "Thief/1.0")
    for device in (own, attacker):
        assert device.log_in().status_code == 200
    stolen = OutstandingToken.objects.get(user_agent="Thief/1.0")

    admin.sign_in(support)
    admin.open("Sessions")
    admin.search(stolen.session_id)
    expect(admin.rows).to_have_count(1)
    admin.rows.get_by_role("link").first.click()
    expect(admin.page.get_by_text("Thief/1.0").first).to_be_visible()
    admin.blacklist(stolen)

    expect(admin.rows).to_have_count(1)
    expect(admin.rows.locator(".field-username")).to_have_text(user.email)
    expect(admin.rows.locator(".field-by")).to_have_text(support.email)
    expect(admin.rows.locator(".field-reason")).to_have_text("ended by an administrator")
    assert attacker.refresh().status_code == 401
    assert own.refresh().status_code == 200


def test_the_dashboard_agrees_with_the_database(admin, user):
    OutstandingTokenFactory.create_batch(3, user=user)
    BlacklistedTokenFactory(reason="reuse")
    OutstandingTokenFactory(expired=True)

    admin.sign_in(UserFactory(admin=True))
    figures = overview()

    expect(admin.page.locator("#live")).to_have_text(str(figures.live.count))
    expect(admin.page.locator("#signed-in")).to_have_text(str(figures.signed_in.count))
    expect(admin.page.locator("#signed-out")).to_have_text(str(figures.signed_out))
    expect(admin.page.locator("#reused")).to_have_text("1")
    expect(admin.page.locator(".ended-chart rect")).to_have_count(1)
    assert (figures.live.count, figures.backlog.count) == (4, 1)  # one is the sign-in to the admin


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_admin_is_readable_in_both_color_schemes_and_fits_the_screen(
    browsers, user, scheme, width
):
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    live = OutstandingTokenFactory(user=user, ip_address="2001:db8::7", user_agent=agent)
    OutstandingTokenFactory(user=user, expired=True)
    entry = BlacklistedTokenFactory(reason="admin", note="a laptop, stolen on the train")
    screen = {"width": width, "height": 900}
    admin = Admin(browsers(viewport=screen, color_scheme=scheme).new_page())
    page = admin.page
    admin.sign_in(UserFactory(admin=True))

    for path, ours in {
        "/admin/": ".figures, .panel",
        OUTSTANDING: ".tb-badge, .tb-button, .tb-line",
        f"{OUTSTANDING}{live.pk}/change/": ".tb-badge, .tb-story, .tb-links, .tb-button",
        f"{OUTSTANDING}{entry.token_id}/change/": ".tb-badge, .tb-story, .tb-links",
        f"{OUTSTANDING}end/?user={user.pk}": ".tb-page",
        f"{BLACKLISTED}add/": ".field-note",
        f"/admin/accounts/user/{user.pk}/change/": ".tb-story, .tb-button",
    }.items():
        page.goto(path)
        expect(page.locator(ours).first).to_be_visible()
        faults = Axe().run(page, context=ours).response["violations"]
        assert not [(fault["id"], fault["nodes"][0]["html"]) for fault in faults], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_user_is_signed_out_everywhere_from_the_user_page(admin, user, device_of):
    devices = [device_of(user), device_of(user, "Phone/1.0")]
    for device in devices:
        assert device.log_in().status_code == 200
    admin.sign_in(UserFactory(admin=True))
    admin.page.goto(f"/admin/accounts/user/{user.pk}/change/")

    admin.page.get_by_role("link", name="Sign out everywhere").click()
    admin.page.get_by_role("button", name="End sessions").click()

    expect(admin.page.get_by_text(f"Ended 2 sessions of {user.email}.")).to_be_visible()
    assert [device.me().status_code for device in devices] == [401, 401]
