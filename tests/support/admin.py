"""The admin in a browser: sign-in, lists, filters and actions."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

from tests.support.factories import PASSWORD

OUTSTANDING = "/admin/token_blacklist/outstandingtoken/"
BLACKLISTED = "/admin/token_blacklist/blacklistedtoken/"


class Admin:
    def __init__(self, page: Page) -> None:
        self.page = page

    def sign_in(self, user: Any) -> None:
        self.page.goto("/admin/")
        self.page.get_by_label("E-mail", exact=True).fill(user.email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url("**/admin/")

    def open(self, name: str) -> None:
        """Open a list from the menu."""
        self.page.get_by_role("link", name=name).first.click()
        self.page.locator("#changelist").wait_for()

    def search(self, text: str) -> None:
        box = self.page.locator("#searchbar")
        box.fill(text)
        box.press("Enter")
        self.page.wait_for_url("**q=**")

    @property
    def rows(self) -> Locator:
        return self.page.locator("#result_list tbody tr")

    def rows_of(self, user: Any) -> Locator:
        return self.rows.filter(has_text=user.email)

    def pick(self, text: str) -> None:
        """Choose the result for the text in the autocomplete."""
        options = self.page.get_by_role("option")
        self.page.locator(".select2-selection").first.click()
        options.first.wait_for()
        with self.page.expect_response("**/autocomplete/**"):
            self.page.get_by_role("searchbox").last.fill(text)
        options.filter(has_text=text).click()

    def blacklist(self, session: Any) -> None:
        """Revoke a session by adding an ended session for it."""
        self.page.goto(f"{BLACKLISTED}add/")
        self.pick(session.session_id)
        self.page.get_by_role("button", name="Save", exact=True).click()
        self.page.get_by_text("was added successfully").wait_for()
