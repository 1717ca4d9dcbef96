"""Chromium with a new context for each test; an error in the browser fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from playwright.sync_api import (
    APIRequestContext,
    APIResponse,
    BrowserContext,
    expect,
    sync_playwright,
)

from tests.support import chromium
from tests.support.admin import Admin
from tests.support.devices import Device
from tests.support.visitor import Visitor
from tests.support.watched import FAILED, TIMEOUT, watched


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report


@pytest.fixture(scope="session")
def playwright(django_db_setup: Any) -> Any:
    # Playwright's sync API leaves an event loop on this thread, for which Django would
    # refuse the ORM; and these tests are a run of their own, for the others to be without it.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=TIMEOUT)
        with sync_playwright() as playwright:
            yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Any:
    browser = chromium.launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def browsers(browser: Any, live_server: Any, request: Any) -> Iterator[Any]:
    with watched(browser, live_server.url, request.node, locale="en-GB") as make:
        yield make


@pytest.fixture
def context(browsers: Any) -> BrowserContext:
    return browsers()


@pytest.fixture
def page(context: BrowserContext) -> Any:
    return context.new_page()


@pytest.fixture
def visitor(context: BrowserContext) -> Visitor:
    return Visitor(context)


@pytest.fixture
def others(browsers: Any) -> Any:
    """Make more visitors, each with a separate browser."""
    return lambda **options: Visitor(browsers(**options))


@pytest.fixture
def admin(page: Any) -> Admin:
    return Admin(page)


class Answer:
    def __init__(self, answer: APIResponse) -> None:
        self.status_code = answer.status
        self.json = answer.json


class Http:
    """The interface of the test client for a Device, over the network."""

    def __init__(self, requests: APIRequestContext) -> None:
        self.requests = requests

    def post(self, path: str, data: Any, format: str) -> Answer:  # noqa: A002  # its name there
        assert format == "json"
        return Answer(self.requests.post(path, data=data))

    def get(self, path: str, HTTP_AUTHORIZATION: str) -> Answer:  # noqa: N803  # its name there
        return Answer(self.requests.get(path, headers={"Authorization": HTTP_AUTHORIZATION}))


@pytest.fixture
def device_of(playwright: Any, live_server: Any) -> Any:
    """Make devices that call the live server, separate from the browser."""
    opened = []

    def make(user: Any, name: str = "Device/1.0") -> Device:
        requests = playwright.request.new_context(base_url=live_server.url, user_agent=name)
        opened.append(requests)
        device = Device(user)
        device.http = Http(requests)
        return device

    yield make
    for requests in opened:
        requests.dispose()


@pytest.fixture
def with_all(user: Any) -> Any:
    """A user with a verified address and another one, a second factor and a social account."""
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    EmailAddress.objects.create(user=user, email="another@example.com")
    SocialAccount.objects.create(user=user, provider="dummy", uid="1")
    TOTP.activate(user, generate_totp_secret())
    user.codes = iter(RecoveryCodes.activate(user).get_unused_codes())
    return user
