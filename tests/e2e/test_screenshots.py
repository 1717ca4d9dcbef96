"""The pictures of the README: `make screenshots` writes them to docs/images/."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.factories import PASSWORD, UserFactory

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
def test_the_account_page_shows_a_person_and_three_devices(others, device_of, scheme):
    ada = UserFactory(email="ada@example.com", name="Ada Lovelace")
    for agent in DEVICES[:2]:
        assert device_of(ada, agent).log_in().status_code == 200
    screen = {"width": 1000, "height": 760}
    visitor = others(viewport=screen, color_scheme=scheme, user_agent=DEVICES[2])

    visitor.sign_in(ada, PASSWORD)

    for device in ("Chrome on Windows", "Firefox on Linux", "Safari on iOS"):
        expect(visitor.sessions.filter(has_text=device)).to_have_count(1)
    visitor.page.screenshot(path=FOLDER / f"account-{scheme}.png")
