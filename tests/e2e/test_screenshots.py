"""The pictures of the README: `make screenshots` writes them to docs/images/."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.support.admin import Admin
from tests.support.factories import PASSWORD, OutstandingTokenFactory, UserFactory
from token_blacklist.models import BlacklistedToken, FlushRun, OutstandingToken

pytestmark = pytest.mark.browser

FOLDER = Path(os.environ.get("SCREENSHOTS", "test-results/screenshots"))
DEVICES = (
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
        " (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
        " (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
    ),
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_account_page_shows_a_user_and_three_devices(others, device_of, scheme):
    ada = UserFactory(email="ada@example.com", name="Ada Lovelace")
    for agent in DEVICES[:2]:
        assert device_of(ada, agent).log_in().status_code == 200
    screen = {"width": 1000, "height": 760}
    visitor = others(viewport=screen, color_scheme=scheme, user_agent=DEVICES[2])

    visitor.sign_in(ada, PASSWORD)

    for device in ("Chrome on Windows", "Firefox on Linux", "Safari on iOS"):
        expect(visitor.sessions.filter(has_text=device)).to_have_count(1)
    visitor.page.get_by_role("heading", name="Your sessions").evaluate("it => it.scrollIntoView()")
    visitor.page.screenshot(path=FOLDER / f"account-{scheme}.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dashboard_shows_two_weeks_of_a_growing_site(browsers, user, scheme):
    sessions_of_two_weeks(user)
    FlushRun.objects.create(
        started_at=timezone.now() - timedelta(minutes=40),
        duration=timedelta(seconds=0.8),
        outstanding_deleted=1_207,
        outcome="done",
    )
    screen = {"width": 1360, "height": 760}
    admin = Admin(browsers(viewport=screen, color_scheme=scheme).new_page())

    admin.sign_in(UserFactory(email="sam@example.com", name="Sam Support", admin=True))

    expect(admin.page.locator("#live")).to_have_text("421")  # with the sign-in to the admin
    expect(admin.page.locator(".legend li")).to_have_count(6)
    admin.page.screenshot(path=FOLDER / f"admin-{scheme}.png")


def sessions_of_two_weeks(user):
    """Make sessions that were ended, each day some more and for more reasons, and live ones."""
    now = timezone.now()
    daily = {"logout": 16, "logout_all": 4, "password": 3, "admin": 1, "deactivated": 2}
    reasons = [
        (day, reason)
        for day in range(14)
        for reason, count in daily.items()
        for _ in range(count * (20 - day + day % 3 * 2) // 10)
    ] + [(5, "reuse"), (9, "reuse"), (9, "reuse")]
    lasting = {"user": user, "expires_at": now + timedelta(days=1)}
    over = OutstandingTokenFactory.build_batch(
        len(reasons), created_at=now - timedelta(days=15), **lasting
    )
    live = [
        OutstandingTokenFactory.build(created_at=now - timedelta(minutes=5 * number), **lasting)
        for number in range(420)
    ]
    OutstandingToken.objects.bulk_create(over + live)
    entries = BlacklistedToken.objects.bulk_create(
        BlacklistedToken(token=token, reason=reason)
        for token, (_day, reason) in zip(over, reasons, strict=True)
    )
    for entry, (day, _reason) in zip(entries, reasons, strict=True):
        entry.blacklisted_at = now - timedelta(days=day)
    BlacklistedToken.objects.bulk_update(entries, ["blacklisted_at"])
