"""Browsers for one test, whose errors fail it, and a page that may go to any host."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

TIMEOUT = 15_000  # milliseconds; with the default of 5 seconds tests fail on a busy machine
RESULTS = Path(__file__).parents[2] / "test-results"
FAILED = pytest.StashKey[bool]()


@contextmanager
def watched(
    browser: Browser, site: str, test: pytest.Item, **defaults: Any
) -> Iterator[Callable[..., BrowserContext]]:
    """Make browsers without cookies. A failed test saves screenshots in test-results/.

    An error in one fails the test, except those of `@pytest.mark.expects("…")`.
    """
    opened: list[tuple[BrowserContext, list[str]]] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(base_url=site, **(defaults | options))
        context.set_default_timeout(TIMEOUT)
        opened.append((context, problems_of(context, site)))
        return context

    yield make
    expected = [mark.args[0] for mark in test.iter_markers("expects")]
    problems = [
        problem
        for _context, found in opened
        for problem in found
        if not any(re.search(pattern, problem) for pattern in expected)
    ]
    for number, (context, _found) in enumerate(opened, start=1):
        if problems or test.stash.get(FAILED, False):
            name = re.sub(r"\W+", "-", test.name).strip("-")
            folder = RESULTS / name / str(number)
            for at, page in enumerate(context.pages, start=1):
                page.screenshot(path=folder / f"page-{at}.png", full_page=True)
        context.close()
    assert not problems, "\n".join(problems)


def problems_of(context: BrowserContext, site: str) -> list[str]:
    """Return a list that collects the errors of the context."""
    problems: list[str] = []

    def check_host(request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob"} and url.netloc != urlsplit(site).netloc:
            problems.append(f"request to another host: {request.url}")

    def check_console(message: Any) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text} ({message.location['url']})")

    def check_failure(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the browser left the page before it was loaded
            problems.append(f"{request.failure}: {request.url}")

    context.on("request", check_host)
    context.on("console", check_console)
    context.on("weberror", lambda error: problems.append(f"script: {error.error}"))
    context.on("requestfailed", check_failure)
    return problems


@contextmanager
def unwatched_page(browser: Browser) -> Iterator[Page]:
    """Make a page of a new browser that may go to any host."""
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT)
    yield context.new_page()
    context.close()
