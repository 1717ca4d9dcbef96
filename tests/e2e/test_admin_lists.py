"""The two lists in the admin, and how a support person ends a session there."""

import re

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import expect

from tests.e2e.admin import BLACKLISTED, OUTSTANDING
from tests.factories import UserFactory

A_DATE = re.compile(r"\w+\. \d+, \d{4}|\w+ \d+, \d{4}")


@pytest.fixture
def support(db):
    """May look at both lists and end a session; nothing else."""
    person = UserFactory(email="support@example.com", is_staff=True)
    person.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="token_blacklist",
            codename__in=["view_outstandingtoken", "view_blacklistedtoken", "add_blacklistedtoken"],
        )
    )
    return person


def test_the_lists_follow_a_session_from_sign_in_to_sign_out(admin, support, user, device_of):
    admin.sign_in(support)
    admin.open("Outstanding tokens")
    expect(admin.rows).to_have_count(0)
    device = device_of(user)

    assert device.log_in().status_code == 200
    admin.page.reload()
    expect(admin.rows).to_have_count(1)
    expect(admin.rows).to_contain_text(user.email)
    expect(admin.rows.locator(".field-state")).to_have_text("live")
    expect(admin.rows.locator(".field-refreshed_at")).to_have_text("-")
    session_id = admin.rows.get_by_role("link").inner_text()

    assert device.refresh().status_code == 200
    admin.page.reload()
    expect(admin.rows).to_have_count(1)
    expect(admin.rows.get_by_role("link")).to_have_text(session_id)
    expect(admin.rows.locator(".field-refreshed_at")).to_have_text(A_DATE)

    assert device.log_out().status_code == 200
    admin.page.reload()
    expect(admin.rows).to_have_count(1)
    expect(admin.rows.locator(".field-state")).to_have_text("signed out")
    admin.open("Blacklisted tokens")
    expect(admin.rows).to_have_count(1)
    expect(admin.rows.get_by_role("link")).to_have_text(session_id)
    expect(admin.rows.locator(".field-reason")).to_have_text("signed out")


def test_adding_a_blacklisted_token_in_the_admin_locks_the_thief_out(
    admin, support, user, device_of
):
    own, thief, neighbour = device_of(user), device_of(user, "Thief/1.0"), device_of(UserFactory())
    for device in (own, neighbour, thief):
        assert device.log_in().status_code == 200
    assert thief.refresh().status_code == 200
    assert thief.me().status_code == 200

    admin.sign_in(support)
    admin.open("Outstanding tokens")
    admin.search(user.email)
    expect(admin.rows).to_have_count(2)
    link = admin.rows.first.get_by_role("link")  # the latest
    session_id = link.inner_text()
    link.click()
    expect(admin.page.locator(".field-user_agent")).to_contain_text("Thief/1.0")
    admin.open("Blacklisted tokens")
    admin.page.get_by_role("link", name="Add blacklisted token").click()
    admin.pick(session_id)
    admin.page.get_by_role("button", name="Save", exact=True).click()

    expect(admin.page.get_by_text("was added successfully")).to_be_visible()
    expect(admin.rows).to_have_count(1)
    expect(admin.rows.get_by_role("link")).to_have_text(session_id)
    expect(admin.rows.locator(".field-user")).to_have_text(user.email)
    expect(admin.rows.locator(".field-blacklisted_by")).to_have_text(support.email)
    expect(admin.rows.locator(".field-reason")).to_have_text("ended by an administrator")
    assert thief.refresh().status_code == 401
    assert thief.me().status_code == 401
    for device in (own, neighbour):
        assert device.refresh().status_code == 200
        assert device.me().status_code == 200


@pytest.mark.parametrize("path", [OUTSTANDING, BLACKLISTED])
def test_no_record_can_be_edited_or_deleted_by_hand(admin, user, device_of, path):
    device = device_of(user)
    assert device.log_in().status_code == 200
    assert device.log_out().status_code == 200
    admin.sign_in(UserFactory(admin=True))
    page = admin.page

    page.goto(path)
    expect(admin.rows).to_have_count(1)
    expect(page.locator("#changelist-form").get_by_role("checkbox")).to_have_count(0)
    expect(page.locator("select[name=action]")).to_have_count(0)

    admin.rows.get_by_role("link").click()
    expect(page.get_by_role("link", name="Close")).to_be_visible()
    content = page.locator("#content")
    expect(content.locator("input:not([type=hidden]), select, textarea, button")).to_have_count(0)
    expect(content.get_by_role("link", name="Delete")).to_have_count(0)

    (cookie,) = [c for c in page.context.cookies() if c["name"] == "csrftoken"]
    form = {"post": "yes", "csrfmiddlewaretoken": cookie["value"]}
    for url in (page.url, page.url.replace("/change/", "/delete/")):
        answer = page.request.post(url, form=form)
        assert answer.status == 403
        assert "CSRF" not in answer.text()
    page.goto(path)
    expect(admin.rows).to_have_count(1)


def test_no_page_of_the_admin_shows_a_token(admin, user, device_of):
    for sign_out in (False, True):
        device = device_of(user)
        assert device.log_in().status_code == 200
        assert device.refresh().status_code == 200
        if sign_out:
            assert device.log_out().status_code == 200
    admin.sign_in(UserFactory(admin=True))
    page = admin.page

    seen, ahead = set(), ["/admin/"]
    while ahead:
        path = ahead.pop()
        page.goto(path)
        assert "eyJ" not in page.content(), path
        seen.add(path)
        links = page.locator("a[href]").evaluate_all("links => links.map(link => link.pathname)")
        ahead += {p for p in links if p.startswith("/admin/")} - seen - set(ahead)

    assert {OUTSTANDING, BLACKLISTED, f"{BLACKLISTED}add/"} <= seen
    assert len([path for path in seen if "token/" in path and path.endswith("/change/")]) == 3
