"""A visitor of the pages in a browser."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.support.factories import PASSWORD


class Visitor:
    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.requests: list[Any] = []
        context.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108

    def open_tab(self) -> Page:
        """Continue in a new tab; return the former one."""
        before, self.page = self.page, self.context.new_page()
        return before

    def sends_credentials(self, email: str, password: str = PASSWORD) -> None:
        self.page.goto("/login/")
        self.types_credentials(email, password)

    def types_credentials(self, email: str, password: str = PASSWORD) -> None:
        self.page.get_by_label("E-mail", exact=True).fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.presses("Sign in")

    def signs_up(self, email: str, password: str = PASSWORD, name: str = "") -> None:
        self.page.get_by_label("E-mail", exact=True).fill(email)
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.presses("Sign up")

    def sign_in(self, user: Any, password: str = PASSWORD) -> None:
        self.sends_credentials(user.email, password)
        self.sees_the_account()

    def sees_the_account(self, page: Page | None = None) -> None:
        """Expect the account page after its script has shown the sessions."""
        expect((page or self.page).get_by_role("heading", name="Your sessions")).to_be_visible()

    def is_at(self, path: str) -> None:
        expect(self.page).to_have_url(re.compile(re.escape(path) + "$"))

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text)).to_be_visible()

    def saves_the_name(self, name: str) -> None:
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Save").click()

    def presses(self, button: str, page: Page | None = None) -> None:
        (page or self.page).get_by_role("button", name=button, exact=True).click()

    def changes_the_password(self, old: str, new: str) -> None:
        self.page.goto("/password/change/")
        self.page.get_by_label("Current password", exact=True).fill(old)
        self.page.get_by_label("New password", exact=True).fill(new)
        self.page.get_by_label("New password (again)", exact=True).fill(new)
        self.presses("Change password")

    def asked(self, path: str) -> list[Any]:
        """Return the requests of this browser for a path, from the first on."""
        return [
            request for request in self.requests if request.url.partition("?")[0].endswith(path)
        ]

    @property
    def sessions(self) -> Locator:
        return self.page.locator("#sessions > li:not(.ended)")

    @property
    def refresh_cookie(self) -> str | None:
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        return cookies.get("refresh_token")

    @property
    def access_token(self) -> str:
        """The access token that was sent last."""
        header = self.asked("/api/sessions/")[-1].headers["authorization"]
        return header.removeprefix("Bearer ")
